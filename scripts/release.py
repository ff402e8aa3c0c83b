"""Make a release on this machine: python -m scripts.release 1.2.0

It writes the database of the release for the upgrade tests, sets the version, closes the changelog, commits, tags, and writes
into dist/: the wheel, the source archive, the Debian package, the one file, the bill of materials (CycloneDX), the provenance
and SHA256SUMS. It sends nothing anywhere: push the tag yourself.
"""

import os
import re
import subprocess
import sys
import tempfile
import venv
from datetime import UTC, datetime
from pathlib import Path

from scripts.changelog import close_release, take_notes
from scripts.provenance import Source, find_page, hash_file, write_provenance

ROOT = Path(__file__).parents[1]
SBOM_TOOL = "cyclonedx-bom>=7.5,<8"
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
_NAMES_VERSION = ("pyproject.toml", "docs/how-to/install.md")


def main(given: list[str]) -> int:
    if len(given) != 1 or not _VERSION.fullmatch(given[0]):
        sys.stderr.write("Name the version: python -m scripts.release 1.2.0\n")
        return 2
    try:
        release(given[0])
    except (ValueError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"Not released: {error}\n")
        return 1
    return 0


def release(version: str) -> None:
    """Commit, tag and build this version. If its commit is tagged, only build it. Raise ValueError if that cannot be done."""
    check_ready(version)
    if not is_tagged(version):
        _commit(version)
    build(version)
    sys.stdout.write(f"dist/ has {version}. To publish it: git push --follow-tags\n")


def check_ready(version: str) -> None:
    """Raise ValueError if something is uncommitted, another commit has the tag, there is no remote, or no change is noted."""
    if _git("status", "--porcelain"):
        raise ValueError("Something is not committed. Commit it or put it away.")
    find_repository()
    if is_tagged(version):
        return
    if _git("tag", "--list", f"v{version}"):
        raise ValueError(
            f"The tag v{version} is at another commit. Choose the next version, or check that tag out to build it."
        )
    take_notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def is_tagged(version: str) -> bool:
    """Return True if the commit of the checkout has the tag of this version."""
    return f"v{version}" in _git("tag", "--points-at", "HEAD").split()


def _commit(version: str) -> None:
    """Write the database of the version, set the version, close the changelog, commit and tag."""
    before = read_version()
    _run(sys.executable, "-m", "scripts.release_database", version)
    changelog = ROOT / "CHANGELOG.md"
    closed = close_release(changelog.read_text(encoding="utf-8"), version=version, on=datetime.now(UTC).date())
    changelog.write_text(closed, encoding="utf-8")
    for name in _NAMES_VERSION:
        file = ROOT / name
        file.write_text(set_version(file.read_text(encoding="utf-8"), before=before, version=version), encoding="utf-8")
    project = ROOT / "pyproject.toml"
    project.write_text(add_links(project.read_text(encoding="utf-8"), repository=find_repository()), encoding="utf-8")
    _git("add", "tests/data/releases")
    _git("commit", "--quiet", "--all", "--message", f"Release {version}")
    _git("tag", "--annotate", f"v{version}", "--message", f"Release {version}")


def find_repository() -> str:
    """Return the page of the repository, which the provenance names. Raise ValueError if the checkout has no remote."""
    if "origin" not in _git("remote").split():
        raise ValueError(
            "This checkout has no remote repository called origin, so nothing could say where the release comes from. "
            "Add it: git remote add origin ADDRESS"
        )
    return find_page(_git("remote", "get-url", "origin"))


def read_version() -> str:
    """Return the version in pyproject.toml."""
    found = re.search(r'^version = "([^"]+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError("pyproject.toml has no version.")
    return found[1]


def set_version(text: str, *, before: str, version: str) -> str:
    """Return the text with this version: the project's own line, and the names of its wheel."""
    text = re.sub(rf'^version = "{re.escape(before)}"$', f'version = "{version}"', text, flags=re.MULTILINE)
    return text.replace(f"newsletter-{before}-py3", f"newsletter-{version}-py3")


def add_links(text: str, *, repository: str) -> str:
    """Return pyproject.toml with links to the repository, which package indexes show. Links that are there stay."""
    if "[project.urls]" in text:
        return text
    links = {
        "Source": repository,
        "Documentation": f"{repository}/blob/main/docs/README.md",
        "Changelog": f"{repository}/blob/main/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }
    lines = [f'{name} = "{address}"\n' for name, address in links.items()]
    return text.replace("[project.scripts]\n", "[project.urls]\n" + "".join(lines) + "\n[project.scripts]\n")


def build(version: str) -> None:
    """Write the files of a release into dist/. Their times are that of the commit, so the same commit gives the same bytes."""
    out, started = ROOT / "dist", datetime.now(UTC)
    out.mkdir(exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    env = {**os.environ, "SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct")}
    _run(sys.executable, "-m", "hatchling", "build", "-d", str(out), env=env)
    _run(sys.executable, "-m", "scripts.debian_package.build", env=env)
    _run(sys.executable, "-m", "scripts.one_file.build", env=env)
    write_sbom(out / f"newsletter-{version}.cdx.json")
    source = Source(find_repository(), f"v{version}", _git("rev-parse", "HEAD"), ROOT / "requirements/runtime.txt")
    describe_files(out, version=version, source=source, started=started)


def describe_files(out: Path, *, version: str, source: Source, started: datetime) -> None:
    """Write the provenance of the files in a folder, and then the hash of each into SHA256SUMS."""
    provenance = out / f"newsletter-{version}.provenance.json"
    write_provenance(provenance, made=sorted(out.iterdir()), source=source, started=started)
    lines = [f"{hash_file(file)}  {file.name}\n" for file in sorted(out.iterdir())]
    (out / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def write_sbom(file: Path) -> None:
    """Write the bill of materials of `requirements/runtime.txt`, with a tool in an environment of its own."""
    with tempfile.TemporaryDirectory(prefix="newsletter-sbom-") as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin/python")
        _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", SBOM_TOOL)
        tool = (python, "-W", "ignore", "-m", "cyclonedx_py", "requirements", "requirements/runtime.txt")
        kind = ("--pyproject", "pyproject.toml", "--mc-type", "application", "--output-reproducible", "--of", "JSON")
        _run(*tool, *kind, "--output-file", str(file))


def _git(*arguments: str) -> str:
    return _run("git", *arguments, quiet=True)


def _run(*command: str, env: dict[str, str] | None = None, quiet: bool = False) -> str:
    """Run a command in the checkout, and return what it printed if it is ``quiet``."""
    out = subprocess.PIPE if quiet else None
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=out, text=True, check=True)  # noqa: S603
    return (done.stdout or "").strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
