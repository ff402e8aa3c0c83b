"""Find the programs that `tests.integration.install` put beside the tests' own environment."""

import shutil
import sys
from pathlib import Path

import pytest

FOLDER = Path(sys.prefix).parent / ".integration"


def find_tool(name: str) -> Path:
    """Return where a program from PyPI is, or would be."""
    return FOLDER / "bin" / name


def find_node_modules() -> Path:
    """Return where npm's packages are, or would be."""
    return FOLDER / "node_modules"


def is_installed(name: str) -> bool:
    """Return True if a program is there, from PyPI, npm or Debian."""
    if name == "eleventy":
        return bool(shutil.which("node")) and (find_node_modules() / "@11ty" / "eleventy-plugin-rss").exists()
    if name == "oidc-provider":
        return bool(shutil.which("node")) and (find_node_modules() / name / "lib" / "index.js").exists()
    return find_tool(name).exists() or bool(shutil.which(name))


def skip_without(name: str) -> None:
    """Skip the test, saying so, if that program is not installed."""
    if not is_installed(name):
        pytest.skip(f"{name} is not installed.")


def skip_without_package(name: str) -> None:
    """Skip the test, saying so, if that package is not installed beside the tests' own environment."""
    if not any((FOLDER / "lib").glob(f"python*/site-packages/{name}")):
        pytest.skip(f"{name} is not installed.")
