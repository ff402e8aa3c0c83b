"""`make check` runs the test files nearest to what changed."""

import subprocess
from pathlib import Path

import pytest
from grimp import ImportGraph

from tests.support.nearest_tests import choose_files, list_changes, measure_distances

FAR, NEAR, OTHER = "tests/db/test_far.py", "tests/unit/test_near.py", "tests/web/test_other.py"


@pytest.fixture
def graph() -> ImportGraph:
    made = ImportGraph()
    for importer, imported in [
        ("tests.unit.test_near", "newsletter.models"),
        ("newsletter.sending", "newsletter.models"),
        ("tests.db.test_far", "newsletter.sending"),
        ("tests.web.test_other", "newsletter.web"),
        ("tests.support.rows", "newsletter.models"),
    ]:
        made.add_import(importer=importer, imported=imported)
    return made


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("newsletter/models/__init__.py", {NEAR: 1, FAR: 2}),
        ("newsletter/sending.py", {FAR: 1}),
        (OTHER, {OTHER: 0}),
        ("newsletter/gone.py", {}),
    ],
)
def test_a_test_file_is_as_far_as_its_imports(
    graph: ImportGraph, tmp_path: Path, changed: str, expected: dict[str, int]
) -> None:
    assert measure_distances([changed], graph=graph, root=tmp_path) == expected


def test_a_test_file_that_names_a_changed_template_is_near(graph: ImportGraph, tmp_path: Path) -> None:
    file = tmp_path / NEAR
    file.parent.mkdir(parents=True)
    file.write_text('render("story.mjml.j2")', encoding="utf-8")
    assert measure_distances(["templates/email/blocks/story.mjml.j2"], graph=graph, root=tmp_path) == {NEAR: 2}
    assert measure_distances(["templates/email/blocks/event.mjml.j2"], graph=graph, root=tmp_path) == {}


def test_the_nearest_files_that_fit_into_the_time_are_chosen() -> None:
    distances = {FAR: 3, NEAR: 1, OTHER: 2}
    times = {FAR: 1.0, NEAR: 5.0, OTHER: 60.0}
    assert choose_files(distances, times=times, seconds=10) == [NEAR]
    assert choose_files(distances, times=times, seconds=100) == [NEAR, OTHER, FAR]


def test_a_changed_test_file_is_always_chosen() -> None:
    assert choose_files({OTHER: 0, NEAR: 1}, times={OTHER: 60.0, NEAR: 1.0}, seconds=10) == [OTHER]


def test_a_file_that_never_ran_takes_as_long_as_most() -> None:
    distances = {FAR: 1, NEAR: 1, OTHER: 1}
    assert choose_files(distances, times={FAR: 4.0}, seconds=9) == [FAR, NEAR]


def test_changes_are_those_since_main_committed_or_not(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        name = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *name, *arguments], cwd=tmp_path, check=True, capture_output=True)

    def commit(file: str) -> None:
        (tmp_path / file).write_text(file, encoding="utf-8")
        git("add", file)
        git("commit", "-m", f"Add {file}")

    git("init", "-b", "main")
    commit("before.py")
    git("checkout", "-b", "work")
    commit("committed.py")
    (tmp_path / "new.py").write_text("new", encoding="utf-8")
    (tmp_path / "before.py").write_text("changed", encoding="utf-8")
    assert list_changes(tmp_path) == ["before.py", "committed.py", "new.py"]
