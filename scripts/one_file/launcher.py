"""Start the newsletter that is packed in this file. Unpack it first if this version has not run on this machine yet.

PyInstaller makes a program of this module alone. `build.py` puts the archive into the same file, before what PyInstaller adds.
"""

import json
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

CERTIFICATES = Path("/etc/ssl/certs")
TEMPORARY = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108 - the folder made there is checked


def main() -> None:
    packed = json.loads((Path(__file__).parent / "packed.json").read_text(encoding="utf-8"))
    folder = find_cache() / packed["name"]
    if not folder.is_dir():
        unpack(Path(sys.executable), start=packed["start"], to=folder)
    python = str(folder / "bin/python3")
    os.execve(python, [python, "-I", "-m", "newsletter.project.cli", *sys.argv[1:]], make_environment(folder))  # noqa: S606


def find_cache() -> Path:
    """Return the folder for unpacked versions, which only this user can write to."""
    given = [os.environ.get("CACHE_DIRECTORY", "").split(":")[0], os.environ.get("XDG_CACHE_HOME", "")]
    home = os.environ.get("HOME", "")
    places = [Path(place) / "newsletter" for place in (*given, f"{home}/.cache" if home else "") if place]
    for place in (*places, *(folder / f"newsletter-{os.getuid()}" for folder in TEMPORARY)):
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            known = place.lstat()
        except OSError:
            continue
        if place.is_dir() and not place.is_symlink() and known.st_uid == os.getuid() and not known.st_mode & 0o022:
            return place
    sys.exit(
        "There is no folder into which this file can be unpacked. Nothing was started. Set XDG_CACHE_HOME to a folder that this "
        "user can write to, then run this again."
    )


def unpack(file: Path, *, start: int, to: Path) -> None:
    """Unpack the archive in ``file`` completely, or leave nothing. Two processes may do so at the same time."""
    import zstandard  # which only PyInstaller's program has

    part = None
    try:
        part = Path(tempfile.mkdtemp(prefix=f"{to.name}.", dir=to.parent))
        with file.open("rb") as source:
            source.seek(start)
            with (
                zstandard.ZstdDecompressor().stream_reader(source, read_size=1 << 20) as data,
                tarfile.open(fileobj=data, mode="r|", bufsize=1 << 20) as archive,
            ):
                # An argument `filter` would need Python 3.11.4.
                archive.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
                archive.extractall(part)  # noqa: S202 - it is a part of this file
        part.rename(to)
    except OSError as error:
        if not to.is_dir():  # else another process was first
            sys.exit(
                f"This file could not be unpacked into {to.parent}: {error.strerror}. Nothing was started. Free some space "
                "there, or set XDG_CACHE_HOME to another folder, then run this again."
            )
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def make_environment(folder: Path) -> dict[str, str]:
    """Return our environment as it was before PyInstaller's program changed it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("_PYI_")}
    libraries = env.pop("LD_LIBRARY_PATH_ORIG", None)
    env.pop("LD_LIBRARY_PATH", None)
    if libraries is not None:
        env["LD_LIBRARY_PATH"] = libraries
    if not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & env.keys() and not CERTIFICATES.is_dir():
        env["SSL_CERT_FILE"] = str(next(folder.glob("lib/python3*/site-packages/certifi/cacert.pem")))
    return env


if __name__ == "__main__":
    main()
