"""Build, compare, install and run the packages as a stranger would: python -m tests.packaging.check (or make wheel).

It prints the installed size and the distributions that take most of it.
"""

import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.installed_size import find_site_packages, measure, print_sizes
from tests.packaging.build import ROOT, build, hash_file, list_needed_files, list_wheel_files, read_requirements, unpack
from tests.support.ports import free_port

OUT = ROOT / "dist"
SECONDS_TO_SERVE = 600
TOOLS = ("uv>=0.9,<1", "pipx>=1.7,<2")
_OF_OTHERS = re.compile(r"^(PATH|LANG|LC_.*|HOME|TMPDIR|PIP_.*|UV_.*|SSL_CERT_.*|.*_proxy|.*_PROXY)$")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="newsletter-packaging-") as folder:
        there = Path(folder)
        wheel, sdist = _build_twice(there)
        _check_contents(wheel)
        python = _install(wheel, there)
        _run_demo(python.parent / "newsletter", there)
        _set_up(python.parent / "newsletter", there)
        _serve_a_page(python.parent / "newsletter", there)
        _install_as_tool(wheel, there)
        print_sizes(measure(find_site_packages(str(python))))
        _remove_earlier_packages()
        for made in (wheel, sdist):
            shutil.copy(made, OUT)
            _say(f"dist/{made.name}: {made.stat().st_size:,} bytes, sha256 {hash_file(made)}")


def _remove_earlier_packages() -> None:
    """Remove wheels and source archives from dist/. The one file, which takes long to build, stays."""
    OUT.mkdir(exist_ok=True)
    for made in (*OUT.glob("*.whl"), *OUT.glob("*.tar.gz")):
        made.unlink()


def _build_twice(there: Path) -> tuple[Path, Path]:
    wheel = build("wheel", source=ROOT, out=there / "first")
    sdist = build("sdist", source=ROOT, out=there / "first")
    source = unpack(sdist, to=there / "source")
    for target, first in (("wheel", wheel), ("sdist", sdist)):
        for source_folder, name in ((ROOT, "second"), (source, "third")):
            again = build(target, source=source_folder, out=there / name)
            if hash_file(first) != hash_file(again):
                raise SystemExit(f"The {target} built again from {source_folder} has other bytes.")
    _say("Wheel and source archive: built three times, also from the source archive, with equal bytes.")
    return wheel, sdist


def _check_contents(wheel: Path) -> None:
    missing, there = list_needed_files() - list_wheel_files(wheel), list_wheel_files(wheel) - list_needed_files()
    if missing or there:
        raise SystemExit(f"The wheel lacks {sorted(missing)[:5]} or has too much: {sorted(there)[:5]}.")
    required, extras = read_requirements(wheel)
    _say(
        f"{len(list_wheel_files(wheel))} files, {len(required)} libraries are required; extras: {', '.join(sorted(extras))}."
    )


def _install(wheel: Path, there: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", str(there / "venv")], check=True)
    python = there / "venv/bin/python"
    started = time.monotonic()
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    subprocess.run(command, cwd=there, env=_environment(), check=True, timeout=900)
    _say(f"Installed into an empty environment in {time.monotonic() - started:.0f} seconds.")
    return python


def _install_as_tool(wheel: Path, there: Path) -> None:
    """Install the wheel by uv and by pipx, each into folders of its own, and run the demo of each."""
    subprocess.run([sys.executable, "-m", "venv", str(there / "tools")], check=True)
    programs = there / "tools/bin"
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *TOOLS], check=True, env=_environment(), timeout=300)
    for name in ("uv", "pipx"):
        folders = {"UV_TOOL_DIR": f"{name}-tools", "UV_TOOL_BIN_DIR": f"{name}-bin", "PIPX_HOME": f"{name}-tools"}
        folders |= {"PIPX_BIN_DIR": f"{name}-bin", "PIPX_MAN_DIR": f"{name}-man"}
        environment = {**_environment(), **{variable: str(there / folder) for variable, folder in folders.items()}}
        command = ["tool", "install", "--quiet"] if name == "uv" else ["install", "--quiet"]
        started = time.monotonic()
        subprocess.run(
            [str(programs / name), *command, "--python", sys.executable, str(wheel)],
            env=environment,
            check=True,
            timeout=900,
        )
        _say(f"{name}: installed in {time.monotonic() - started:.0f} seconds.")
        _run_demo(there / f"{name}-bin/newsletter", there, folder=f"demo-{name}")


def _run_demo(newsletter: Path, there: Path, *, folder: str = "demo") -> None:
    place = _make_empty(there / folder)
    started = time.monotonic()
    done = subprocess.run(
        [str(newsletter), "demo", "--no-serve"],
        cwd=place,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode or not list(place.rglob("*.eml")):
        raise SystemExit(f"`newsletter demo --no-serve` failed: {done.stderr or done.stdout}")
    _say(f"`newsletter demo --no-serve` in an empty folder: sent, in {time.monotonic() - started:.0f} seconds.")


def _set_up(newsletter: Path, there: Path) -> None:
    folder = _make_empty(there / "setup")
    options = ("--administrator=ann@example.org", "--name=Open Door", "--postal-address=1 Example Street, Leeds")
    done = subprocess.run(
        [str(newsletter), "setup", "--yes", "--sender=news@example.org", *options],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    written = [name for name in (".env", "organisation.toml") if (folder / name).is_file()]
    if done.returncode or len(written) < 2 or "/accounts/password/" not in done.stdout:
        raise SystemExit(f"`newsletter setup --yes` failed: {done.stderr or done.stdout}")
    _say("`newsletter setup --yes` in an empty folder: settings, organisation and the administrator's link.")


def _serve_a_page(newsletter: Path, there: Path) -> None:
    folder, port = _make_empty(there / "serve"), free_port()
    with (there / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [str(newsletter), "serve", "--port", str(port)],
            cwd=folder,
            env={**_environment(), "NEWSLETTER_SITE_URL": f"http://127.0.0.1:{port}"},
            stdout=log,
            stderr=log,
        )
        try:
            page = _get(port, "/accounts/login/", process)
            style = re.search(rb'href="(/static/[^"]+\.css)"', page)
            if style is None or not _get(port, style[1].decode(), process):
                raise SystemExit("The sign-in page of the installed wheel has no style sheet.")
        finally:
            process.terminate()
            process.wait(60)
    if process.returncode:
        raise SystemExit(f"`newsletter serve` ended with {process.returncode}: {(there / 'serve.log').read_text()}")
    _say("`newsletter serve` in an empty folder: the sign-in page and its style sheet are served.")


def _get(port: int, path: str, process: "subprocess.Popen[bytes]") -> bytes:
    end = time.monotonic() + SECONDS_TO_SERVE
    while time.monotonic() < end and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status == http.HTTPStatus.OK:
                return answer.read()
            raise SystemExit(f"{path} of the installed wheel answers {answer.status}.")
        except OSError:
            time.sleep(0.5)
        finally:
            connection.close()
    state = "is still starting" if process.poll() is None else f"ended with {process.returncode}"
    raise SystemExit(f"`newsletter serve` of the installed wheel did not answer for {path}: it {state}.")


def _make_empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if _OF_OTHERS.match(name)}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
