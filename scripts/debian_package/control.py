"""The fields of the Debian package, and its scripts."""

import hashlib
import platform
import re
import shutil
from pathlib import Path
from typing import NamedTuple

FILES = Path(__file__).with_name("files")
SCRIPTS = ("postinst", "prerm", "postrm")
SETTINGS = "/etc/newsletter/newsletter.env"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_PRERELEASE = re.compile(r"(?<=\d)(?=(a|b|rc)\d)")
_CONTROL = """Package: newsletter
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: libc6 (>= {c_library}), passwd
Recommends: ca-certificates
Suggests: postgresql, spamassassin
Section: web
Priority: optional
Description: weekly letter that assembles itself, for charities
 It gathers your stories and the events near each reader, lays them out as a
 responsive email, shows it to your staff, and sends it through a provider of
 transactional email or a mail server. Nobody is mailed twice, nobody is
 skipped, and a delivery summary accounts for every person.
 .
 The package contains Python and all libraries. Begin with: newsletter demo
"""


class Fields(NamedTuple):
    """What one package says of itself. ``epoch`` is the time of its files, in seconds since 1970."""

    version: str
    maintainer: str
    c_library: str
    epoch: int


def make_debian_version(version: str) -> str:
    """Return the version so that dpkg sorts a pre-release before its release: 1.0.0rc1 becomes 1.0.0~rc1."""
    return _PRERELEASE.sub("~", version)


def name_architecture() -> str:
    """Return Debian's name of this machine's kind of processor. Raise KeyError for one that nobody tried."""
    return _ARCHITECTURES[platform.machine()]


def name_file(version: str) -> str:
    return f"newsletter_{make_debian_version(version)}_{name_architecture()}.deb"


def write_control(root: Path, fields: Fields) -> None:
    """Write DEBIAN/ into the folder that has all files of the package."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    control = root / "DEBIAN"
    control.mkdir()
    text = _CONTROL.format(
        version=make_debian_version(fields.version),
        architecture=name_architecture(),
        maintainer=fields.maintainer,
        size=sum(-(-path.stat().st_size // 1024) for path in files),
        c_library=fields.c_library,
    )
    (control / "control").write_text(text, encoding="utf-8")
    (control / "conffiles").write_text(f"{SETTINGS}\n", encoding="utf-8")
    hashed = (path for path in files if f"/{path.relative_to(root)}" != SETTINGS)
    lines = [f"{_hash(path)}  {path.relative_to(root).as_posix()}\n" for path in hashed]
    (control / "md5sums").write_text("".join(lines), encoding="utf-8")
    for name in SCRIPTS:
        shutil.copyfile(FILES / name, control / name)
    for path in control.iterdir():
        path.chmod(0o755 if path.name in SCRIPTS else 0o644)
    control.chmod(0o755)


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
