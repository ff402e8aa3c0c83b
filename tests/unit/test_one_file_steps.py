"""The steps of the one file's build: what is finished is kept, what was interrupted is done again."""

from pathlib import Path

import pytest

from scripts.one_file.steps import Steps, make_key


def write_a_file(made: Path) -> None:
    made.mkdir()
    (made / "file").touch()


def fail(made: Path) -> None:
    made.mkdir()
    raise OSError("the disk is full")


def refuse(made: Path) -> None:
    pytest.fail(f"{made.name} was made again")


def test_a_finished_step_is_kept_for_the_next_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Steps(tmp_path).keep("tree", key="one", make=write_a_file)
    assert Steps(tmp_path).keep("tree", key="one", make=refuse) == made
    assert capsys.readouterr().out.splitlines() == ["tree ...", "tree: 0 seconds.", "tree: kept from an earlier run."]


def test_a_step_is_done_again_for_another_key(tmp_path: Path) -> None:
    Steps(tmp_path).keep("tree", key="one", make=write_a_file)
    made = Steps(tmp_path).keep("tree", key="two", make=Path.mkdir)
    assert list(made.iterdir()) == []


def test_a_step_whose_result_is_gone_is_done_again(tmp_path: Path) -> None:
    made = Steps(tmp_path).keep("archive", key="one", make=Path.touch)
    made.unlink()
    assert Steps(tmp_path).keep("archive", key="one", make=Path.touch).exists()


def test_an_interrupted_step_is_done_again_from_its_beginning(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"):
        Steps(tmp_path).keep("tree", key="one", make=fail)
    made = Steps(tmp_path).keep("tree", key="one", make=write_a_file)
    assert [file.name for file in made.iterdir()] == ["file"]


def test_the_key_changes_with_a_text_and_with_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pins"
    file.write_text("a==1")
    first = make_key("python 3.12", file)
    assert make_key("python 3.12", file) == first
    assert make_key("python 3.13", file) != first
    file.write_text("a==2")
    assert make_key("python 3.12", file) != first
