"""The folder of the one file: its Python finds the libraries."""

import site
import sys
from pathlib import Path

import pytest

from scripts.one_file.tree import name_libraries


def test_a_python_that_searches_other_folders_finds_the_libraries(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site_packages, of_debian = tmp_path / "python3/site-packages", tmp_path / "python3/dist-packages"
    site_packages.mkdir(parents=True)
    name_libraries(site_packages, searched=[tmp_path / "local/dist-packages", of_debian])
    monkeypatch.setattr(sys, "path", [])
    site.addsitedir(str(of_debian))
    assert sys.path == [str(of_debian), str(site_packages)]


def test_a_python_that_searches_site_packages_gets_no_other_folder(tmp_path: Path) -> None:
    name_libraries(tmp_path / "site-packages", searched=[tmp_path / "site-packages"])
    assert list(tmp_path.iterdir()) == []
