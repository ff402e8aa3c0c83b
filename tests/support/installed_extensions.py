"""Install packages of extensions into a folder on ``sys.path``, as pip would, for the time of a test."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from newsletter.organisation.health.configuration import REGISTRIES
from newsletter.rendering.templates import make_environment
from tests.support.process_caches import clear_entry_points


class Extensions:
    """A folder of installed packages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def install(self, package: str, code: str, groups: Mapping[str, Mapping[str, str]]) -> None:
        """Install a package with one module of its name. ``groups`` has an object of the module for each name of a group."""
        (self._folder / f"{package}.py").write_text(code, encoding="utf-8")
        info = self._folder / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
        lines = []
        for group, names in groups.items():
            lines += [f"[newsletter.{group}]", *(f"{name} = {package}:{found}" for name, found in names.items())]
        (info / "entry_points.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")
        _forget()

    def write(self, name: str, text: str) -> None:
        """Write a file beside the modules."""
        (self._folder / name).write_text(text, encoding="utf-8")

    def uninstall(self, package: str) -> None:
        """Remove the package's metadata, after which its extensions are not found."""
        for file in (self._folder / f"{package}-1.0.dist-info").iterdir():
            file.unlink()
        (self._folder / f"{package}-1.0.dist-info").rmdir()
        _forget()


@pytest.fixture
def extensions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Extensions]:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield Extensions(folder)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    clear_entry_points()
    make_environment.cache_clear()  # it remembers for a second which templates are missing
    for registry in REGISTRIES:
        registry.forget()
