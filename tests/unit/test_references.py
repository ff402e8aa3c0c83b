"""Every file, module and name that documents and docstrings put between backticks exists."""

import importlib
import re
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("newsletter", "subscribers", "scripts", "tests")
_BACKTICKED = re.compile(r"`{1,2}([^`\s]+)`{1,2}")
_DOCSTRING_OR_COMMENT = re.compile(r'^\s*"""(.*?)"""|#([^\n]*)', re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"[\w./-]*\w\.(?:py|html|js|css|j2)")
_FOLDER = re.compile(r"(?:newsletter|subscribers|templates|tests|scripts|docs)(?:/[\w.-]+)+/?")
_DOTTED = re.compile(r"(?:newsletter|subscribers)(?:\.\w+)+")
_NAME = re.compile(r"[a-z][a-z0-9]{2,}(?:_[a-z0-9]+)*")
_PATTERN = re.compile(r"[.A-Z]*[a-z_]*\.(?:mjml|txt)\.j2|[A-Z]+\.[\w.]+")


@cache
def read_sources() -> dict[str, str]:
    """Return the text of every Python file by its path from the root."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


@cache
def read_documents() -> dict[str, str]:
    """Return the text of every document, and the docstrings and comments of every Python file."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    documents = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}
    docstrings = {
        where: "\n".join("".join(parts) for parts in _split_comments(source))
        for where, source in read_sources().items()
    }
    return documents | docstrings


def _split_comments(source: str) -> list[tuple[str, str]]:
    return _DOCSTRING_OR_COMMENT.findall(source)


@cache
def list_paths() -> frozenset[str]:
    """Return the files and folders of the project, as paths from its root."""
    tops = (*PACKAGES, "templates", "docs", "examples", "integrations")
    found = {path.relative_to(ROOT).as_posix() for top in tops for path in (ROOT / top).rglob("*")}
    return frozenset(found | {path.name for path in ROOT.iterdir()})


@cache
def list_path_endings() -> frozenset[str]:
    """Return each path with and without its first folders."""
    parts = (path.split("/") for path in list_paths())
    return frozenset("/".join(names[start:]) for names in parts for start in range(len(names)))


@cache
def list_groups() -> frozenset[str]:
    """Return the groups of our entry points, whose names look like those of modules."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return frozenset(project["entry-points"])


@cache
def list_names() -> frozenset[str]:
    """Return every name in the code and in its strings, without docstrings and comments, and of every module."""
    code = "\n".join(_DOCSTRING_OR_COMMENT.sub("", source) for source in read_sources().values())
    return frozenset(_NAME.findall(code)) | {Path(where).stem for where in read_sources()}


def resolves(dotted: str) -> bool:
    """Return True if a dotted name is a module or an attribute of one."""
    module, _, attribute = dotted.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), attribute) or bool(importlib.import_module(dotted))
    except ImportError:
        return False


def is_stale(token: str) -> bool:
    """Return True if a token names a file, folder or module of ours that does not exist."""
    if _FILE.fullmatch(token) or _FOLDER.fullmatch(token):
        plain = token.rstrip("/").removeprefix("./")
        return not _PATTERN.fullmatch(plain) and plain not in list_path_endings()
    return bool(_DOTTED.fullmatch(token)) and token not in list_groups() and not resolves(token)


def test_backticked_files_and_modules_exist() -> None:
    tokens = {(where, token) for where, text in read_documents().items() for token in _BACKTICKED.findall(text)}
    assert sorted(f"{where}: {token}" for where, token in tokens if is_stale(token)) == []


def test_backticked_names_in_docstrings_exist() -> None:
    stale = {
        f"{where}: {token}"
        for where, text in read_documents().items()
        if where.endswith(".py")
        for token in _BACKTICKED.findall(text)
        if _NAME.fullmatch(token) and token not in list_names()
    }
    assert sorted(stale) == []
