"""`make check` runs the test files nearest to what changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from grimp import ImportGraph

from tests.support.file_times import ROOT, read_file_times, write_file_times
from tests.support.nearest_tests import (
    FIXED_FILES,
    TEMPLATE_READER,
    choose_files,
    choose_for,
    list_changes,
    measure_distances,
)

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


def test_a_file_that_never_ran_takes_as_long_as_others_of_its_folder() -> None:
    times = {FAR: 4.0, "tests/unit/test_quick.py": 0.5}
    distances = {"tests/db/test_new.py": 1, "tests/db/test_newer.py": 1}
    assert choose_files(distances, times=times, seconds=7.9) == ["tests/db/test_new.py"]
    assert choose_files(distances, times=times, seconds=8) == list(distances)


def test_while_no_file_of_a_folder_ran_each_takes_four_seconds() -> None:
    distances = {NEAR: 1, OTHER: 1}
    assert choose_files(distances, times={FAR: 0.1}, seconds=7.9) == [NEAR]
    assert choose_files(distances, times={FAR: 0.1}, seconds=8) == [NEAR, OTHER]


def test_an_email_template_runs_the_tests_of_rendering(graph: ImportGraph, tmp_path: Path) -> None:
    graph.add_import(importer="tests.db.test_far", imported=TEMPLATE_READER)
    golden = tmp_path / "tests/unit/rendering/test_golden.py"
    golden.parent.mkdir(parents=True)
    golden.write_text("", encoding="utf-8")
    found = measure_distances(["templates/email/layouts/letter.mjml.j2"], graph=graph, root=tmp_path)
    assert found == {"tests/unit/rendering/test_golden.py": 0, FAR: 1}


def test_the_reader_of_templates_and_the_fixed_files_exist() -> None:
    assert ROOT.joinpath(TEMPLATE_READER.replace(".", "/") + ".py").exists()
    assert [file for file in FIXED_FILES if not ROOT.joinpath(file).exists()] == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("tests/conftest.py", {FAR}),
        ("tests/support/accounts.py", {FAR, NEAR}),
        ("tests/support/automatic.py", {FAR, NEAR, OTHER}),
        ("tests/web/conftest.py", {OTHER}),
        ("tests/support/other.py", set()),
    ],
)
def test_a_changed_fixture_is_near_the_tests_that_use_it(
    graph: ImportGraph, tmp_path: Path, changed: str, expected: set[str]
) -> None:
    plugins = 'pytest_plugins = ["tests.support.accounts", "tests.support.automatic"]\n'
    fixture = "import pytest\n\n@pytest.fixture\ndef {}:\n    pass\n"
    texts = {
        "tests/conftest.py": plugins + fixture.format("shared(account)"),
        "tests/support/accounts.py": fixture.format("account()"),
        "tests/support/automatic.py": "import pytest\n\n@pytest.fixture(autouse=True)\ndef clean():\n    pass\n",
        "tests/support/other.py": fixture.format("account()"),
        "tests/web/conftest.py": "def pytest_collection_finish():\n    pass\n",
        FAR: "def test_it(shared): ...",
        NEAR: "def test_it(account): ...",
        OTHER: "def test_it(): ...",
    }
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert set(measure_distances([changed], graph=graph, root=tmp_path)) == expected


def test_a_few_fixed_files_run_if_no_file_is_near() -> None:
    files, message = choose_for([], {}, times={})
    assert files == list(FIXED_FILES)
    assert message == f"0 changed files. No test file is near them; {len(FIXED_FILES)} fixed ones run."


def _git(folder: Path, *arguments: str) -> None:
    name = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


def _commit(folder: Path, file: str) -> None:
    (folder / file).write_text(file, encoding="utf-8")
    _git(folder, "add", file)
    _git(folder, "commit", "-m", f"Add {file}")


def test_changes_are_those_since_main_committed_or_not(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-b", "main")
    _commit(tmp_path, "before.py")
    _git(tmp_path, "checkout", "-b", "work")
    _commit(tmp_path, "committed.py")
    (tmp_path / "new.py").write_text("new", encoding="utf-8")
    (tmp_path / "before.py").write_text("changed", encoding="utf-8")
    assert list_changes(tmp_path) == ["before.py", "committed.py", "new.py"]


def test_changes_on_main_are_those_since_its_upstream(tmp_path: Path) -> None:
    upstream, here = tmp_path / "upstream", tmp_path / "here"
    upstream.mkdir()
    _git(upstream, "init", "-b", "main")
    _commit(upstream, "before.py")
    _git(tmp_path, "clone", str(upstream), str(here))
    _commit(here, "committed.py")
    assert list_changes(here) == ["committed.py"]


@pytest.mark.parametrize("text", ["", '{"tests/un', "[1]"])
def test_a_damaged_file_of_times_counts_as_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "times.json"
    path.write_text(text, encoding="utf-8")
    assert read_file_times(path) == {}


def test_times_replace_the_file_and_leave_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "times.json"
    for seconds in (1.0, 2.0):
        write_file_times({NEAR: seconds}, path)
    assert read_file_times(path) == {NEAR: 2.0}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ((), ["test_one.py", "test_two.py"]),
        (("-n", "1"), ["test_one.py", "test_two.py"]),
        (("-m", "not long"), ["test_one.py", "test_two.py"]),
        (("-k", "not second"), ["test_two.py"]),
        (("-n", "1", "-k", "not second"), ["test_two.py"]),
        (("test_one.py::test_first",), []),
        (("-x", "test_one.py", "test_wrong.py"), []),
    ],
)
def test_only_files_that_ran_whole_have_a_time(tmp_path: Path, chosen: tuple[str, ...], expected: list[str]) -> None:
    slow = "import pytest\n\n@pytest.mark.long\ndef test_long(): pass\n"
    (tmp_path / "test_one.py").write_text("def test_first(): pass\n\ndef test_second(): pass\n", encoding="utf-8")
    (tmp_path / "test_two.py").write_text(f"{slow}\ndef test_third(): pass\n", encoding="utf-8")
    (tmp_path / "test_wrong.py").write_text("def test_wrong(): assert 0\n\ndef test_right(): pass\n", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    long\n", encoding="utf-8")
    times = tmp_path / "times.json"
    (tmp_path / "keeps_times.py").write_text(
        f"from pathlib import Path\nfrom tests.support import file_times\nfrom tests.support.file_times import *\n"
        f"file_times.TIMES = Path({str(times)!r})\n",
        encoding="utf-8",
    )
    files = () if any(".py" in part for part in chosen) else ("test_one.py", "test_two.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-p", "keeps_times", *chosen, *files]
    folders = os.pathsep.join([str(tmp_path), str(ROOT)])
    env = os.environ | {"PYTHONPATH": folders, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=tmp_path, env=env, check=False, capture_output=True)
    assert sorted(read_file_times(times)) == expected
