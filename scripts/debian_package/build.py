"""Build dist/newsletter_VERSION_amd64.deb, which installs the program with its own Python: python -m scripts.debian_package.build

It packs the folder that the one file contains, with the units of `examples/systemd`. The same folder, and the same time in
SOURCE_DATE_EPOCH, give the same bytes; without that variable, the time is that of the last commit. It needs `dpkg-deb`.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from scripts.debian_package.contents import fill_root
from scripts.debian_package.control import Fields, name_file, write_control
from scripts.one_file.build import WORK, build_tree
from scripts.one_file.steps import Steps, remove
from scripts.one_file.tree import find_newest_c_library
from scripts.release import ROOT, read_version


def main() -> int:
    package = build(Steps(WORK), out=ROOT / "dist")
    with package.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    sys.stdout.write(f"{package.relative_to(ROOT)}: {package.stat().st_size:,} bytes, sha256 {digest}\n")
    return 0


def build(steps: Steps, *, out: Path) -> Path:
    """Build the package into the folder ``out`` and return its file. What the one file's build finished is not repeated."""
    tree = build_tree(steps).tree
    with steps.run("Debian package"):
        return pack(tree, work=steps.folder / "debian-package", out=out, version=read_version())


def pack(tree: Path, *, work: Path, out: Path, version: str) -> Path:
    """Make the package of a folder with the program. ``work`` is emptied before."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct"))
    remove(work)
    work.mkdir(parents=True)
    fields = Fields(version=version, maintainer=_find_maintainer(), c_library=find_newest_c_library(tree), epoch=epoch)
    fill_root(work, tree=tree, fields=fields)
    write_control(work, fields)
    for path in (work, *work.rglob("*")):
        if not path.is_symlink():
            os.utime(path, (epoch, epoch))
    out.mkdir(parents=True, exist_ok=True)
    package = out / name_file(version)
    part_file = package.with_suffix(".part")
    # The number of threads changes the bytes. The highest level takes minutes longer.
    command = ("dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--threads-max=1", "--build", str(work), str(part_file))
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    part_file.replace(package)
    remove(work)
    return package


def _find_maintainer() -> str:
    """Return who packs, by Debian's variables. Without them it is the author of the last commit."""
    name, address = os.environ.get("DEBFULLNAME", ""), os.environ.get("DEBEMAIL", "")
    return f"{name} <{address}>" if name and address else _git("log", "-1", "--format=%an <%ae>")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603, S607


if __name__ == "__main__":
    sys.exit(main())
