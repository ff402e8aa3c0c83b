"""The files of the Debian package: the program, its units, and what says who wrote it."""

import gzip
import os
import shutil
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from newsletter.project.cli import COMMANDS
from scripts.debian_package.control import FILES, SETTINGS, Fields, make_debian_version
from scripts.debian_package.copyright import describe_licences, find_library_licences
from scripts.release import ROOT

PROGRAM = "usr/lib/newsletter"
UNITS = ROOT / "examples/systemd"
_IN_EVERY_UNIT = (
    (
        "WorkingDirectory=/srv/newsletter\n",
        "WorkingDirectory=/var/lib/newsletter\nEnvironmentFile=-/etc/newsletter/newsletter.env\n",
    ),
    ("ReadWritePaths=/srv/newsletter\n", "StateDirectory=newsletter\nStateDirectoryMode=0700\n"),
    ("/opt/newsletter/bin/newsletter", "/usr/bin/newsletter"),
)
_OPTIONS = {
    "newsletter.service": (" --host 127.0.0.1 --port 8000\n", " $SERVE_OPTIONS\n"),
    "newsletter-web.service": (" --host 127.0.0.1 --port 8000\n", " $WEB_OPTIONS\n"),
    "newsletter-worker@.service": (" --concurrency 8\n", " $WORKER_OPTIONS\n"),
}
_MAN_PAGE = r""".TH NEWSLETTER 1 "{date}" "newsletter {version}" "User Commands"
.SH NAME
newsletter \- newsletter that assembles itself, for charities
.SH SYNOPSIS
.B newsletter
.I COMMAND
[\fIoptions\fR]
.SH DESCRIPTION
Root, and the user newsletter, act on the service of this machine: the command runs as that user in
.IR /var/lib/newsletter ,
so name the files of other folders by their whole path.
Everybody else runs it in the folder where they are.
.PP
Run \fBnewsletter COMMAND \-\-help\fR for the options of a command.
.SH COMMANDS
{commands}.SH FILES
.TP
.I /var/lib/newsletter/.env
The settings, which \fBnewsletter setup\fR writes.
.TP
.I /var/lib/newsletter/organisation.toml
The lists, publications and sources.
.TP
.I /var/lib/newsletter/var
The data, if no setting names another folder.
.TP
.I /etc/newsletter/newsletter.env
The options of the services.
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1)
"""


def fill_root(root: Path, *, tree: Path, fields: Fields) -> None:
    """Put all files of the package into the empty folder ``root``. ``tree`` has the program; its files are linked, not copied."""
    shutil.copytree(tree, root / PROGRAM, symlinks=True, copy_function=_link)
    _write(root / "usr/bin/newsletter", (FILES / "newsletter").read_bytes(), mode=0o755)
    _write(root / SETTINGS.lstrip("/"), (FILES / "newsletter.env").read_bytes())
    for unit in sorted(UNITS.glob("*.service")):
        _write(root / "usr/lib/systemd/system" / unit.name, make_unit(unit).encode())
    documents = root / "usr/share/doc/newsletter"
    _write(documents / "copyright", describe_licences(tree, program=PROGRAM).encode())
    for name, licence in find_library_licences(tree).items():
        _write(documents / "libraries" / name, licence.read_bytes())
    _write(documents / "CHANGELOG.md.gz", _compress((ROOT / "CHANGELOG.md").read_bytes()))
    _write(documents / "changelog.gz", _compress(make_changelog(fields).encode()))
    _write(root / "usr/share/man/man1/newsletter.1.gz", _compress(make_man_page(fields).encode()))
    _write(root / "usr/share/lintian/overrides/newsletter", (FILES / "lintian-overrides").read_bytes())
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir() and not path.is_symlink())):
        folder.chmod(0o755)


def make_unit(unit: Path) -> str:
    """Return a unit of `examples/systemd` with the package's places. Raise ValueError if a line is not there once."""
    text = unit.read_text(encoding="utf-8")
    for before, after in (*_IN_EVERY_UNIT, *([_OPTIONS[unit.name]] if unit.name in _OPTIONS else [])):
        if text.count(before) != 1:
            raise ValueError(f"{unit} has no single “{before.strip()}”, which the package replaces.")
        text = text.replace(before, after)
    return text


def make_changelog(fields: Fields) -> str:
    """Return the changelog in Debian's form, which names the other one."""
    return (
        f"newsletter ({make_debian_version(fields.version)}) stable; urgency=medium\n\n"
        f"  * Version {fields.version}. CHANGELOG.md.gz beside this file says what changed.\n\n"
        f" -- {fields.maintainer}  {format_datetime(datetime.fromtimestamp(fields.epoch, UTC))}\n"
    )


def make_man_page(fields: Fields) -> str:
    date = f"{datetime.fromtimestamp(fields.epoch, UTC):%Y-%m-%d}"
    commands = "".join(f".TP\n.B {_escape(name)}\n{_escape(line)}\n" for name, line in COMMANDS.items())
    return _MAN_PAGE.format(date=date, version=fields.version, commands=commands)


def _escape(text: str) -> str:
    """Return the text for roff, which reads a typewriter's hyphens and apostrophes as signs of its own."""
    return text.replace("\\", r"\e").replace("-", r"\-").replace("’", r"\(cq").replace("…", "...")


def _link(source: str, target: str) -> str:
    os.link(source, target, follow_symlinks=False)
    return target


def _compress(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def _write(file: Path, data: bytes, *, mode: int = 0o644) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    file.chmod(mode)
