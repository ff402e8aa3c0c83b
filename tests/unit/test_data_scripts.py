"""The scripts that write tables from the data of others say what they need."""

import runpy
import sys

import pytest


@pytest.mark.parametrize("name", ["build_caniemail_table", "build_mjml_table"])
def test_a_script_without_its_files_names_them(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"scripts.{name}", run_name="__main__")
    assert ended.value.code == 2
    assert "the following arguments are required" in capsys.readouterr().err
