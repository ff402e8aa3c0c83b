"""Run the one file where nothing else is installed, with an empty environment: python -m tests.packaging.one_file

The root folder of its processes has the file, the C library, zlib, two devices and /proc. It needs root, for chroot and mount. It
prints how large the file is, how long it takes to start and how long each check takes. Name checks to run only those, such as
`python -m tests.packaging.one_file serve commands`.
"""

import http.client
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from newsletter.project.cli import COMMANDS
from scripts.one_file.build import NAME
from tests.packaging.build import ROOT
from tests.support.ports import free_port

FILE = ROOT / "dist" / NAME
MAX_START_SECONDS = 3.0
SECONDS_TO_SERVE = 300
_C_LIBRARY = (
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libmvec.so.1",
)
_ZLIB = "libz.so.1"  # for PyInstaller's launcher
_LOADER = Path("/lib64/ld-linux-x86-64.so.2")
_LOGIN = "desk@example.org"


def main(chosen: list[str]) -> int:
    unknown = sorted(set(chosen) - CHECKS.keys())
    if unknown:
        sys.stderr.write(f"There is no check {', '.join(unknown)}. Choose from: {', '.join(CHECKS)}\n")
        return 2
    if not FILE.is_file():
        sys.stderr.write(f"There is no {FILE}. Build it: python -m scripts.one_file.build\n")
        return 1
    if os.geteuid():
        sys.stderr.write("Only root may change the root folder. Run this as root, such as: sudo make one-file\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="newsletter-bare-") as folder:
        bare = BareSystem(Path(folder))
        subprocess.run(["mount", "-t", "proc", "proc", str(bare.root / "proc")], check=True)
        try:
            for name in [name for name in CHECKS if name in chosen or not chosen]:
                started = time.monotonic()
                _say(f"{name} ...")
                CHECKS[name](bare)
                _say(f"{name}: {time.monotonic() - started:.0f} seconds.")
        finally:
            subprocess.run(["umount", str(bare.root / "proc")], check=True)
    return 0


class BareSystem:
    """A folder that is the root folder of the processes that are started in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("dev", "home", "lib64", "proc", "tmp"):
            (root / name).mkdir()
        (root / "tmp").chmod(0o1777)
        for name, minor in (("null", 3), ("urandom", 9)):
            os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        loader = _LOADER.resolve()
        shutil.copy(loader, root / "lib64" / _LOADER.name)
        for name in (*_C_LIBRARY, _ZLIB):
            shutil.copy((loader.parent / name).resolve(), root / "lib64" / name)
        (root / "lib").symlink_to("lib64")
        shutil.copy(FILE, root / NAME)

    def start(self, *arguments: str, log: Path) -> "subprocess.Popen[bytes]":
        """Start the program with an empty environment in /home."""
        with log.open("wb") as output:
            return subprocess.Popen(
                [f"/{NAME}", *arguments],
                env={},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=self._enter,
            )

    def run(self, *arguments: str) -> str:
        """Return what a command printed. Raise SystemExit if it failed."""
        log = self.root / f"tmp/{'-'.join(arguments).replace('/', '_')}.log"
        status = self.start(*arguments, log=log).wait(900)
        said = log.read_text(errors="replace")
        if status:
            raise SystemExit(f"`newsletter {' '.join(arguments)}` ended with {status}: {said}")
        return said

    def _enter(self) -> None:
        os.chroot(self.root)
        os.chdir("/home")


def _measure_start(bare: BareSystem) -> None:
    """Print how long a start takes. Raise SystemExit if it uses too much of the processor, which another load does not change."""
    starts = [_start(bare) for _ in range(6)]
    first, best = starts[0], min(starts[1:])
    _say(f"{NAME}: {FILE.stat().st_size / 1e6:.0f} MB. Beside it are the C library, zlib, two devices and /proc.")
    _say(f"`--version`, the first time, when it unpacks itself: {first[0]:.1f} seconds, {first[1]:.1f} of a processor.")
    _say(f"`--version`, then: {best[0]:.2f} seconds, {best[1]:.2f} of a processor (the best of 5).")
    if best[1] > MAX_START_SECONDS:
        raise SystemExit(f"It takes more than {MAX_START_SECONDS:.0f} seconds of a processor to start.")


def _start(bare: BareSystem) -> tuple[float, float]:
    """Return the seconds of one start on the clock and of a processor."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    bare.run("--version")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, processor


def _run_demo(bare: BareSystem) -> None:
    bare.run("demo", "--no-serve")
    mails = len(list((bare.root / "home/var/demo/outbox").rglob("*.eml")))
    if not mails:
        raise SystemExit("`newsletter demo --no-serve` wrote no mail.")
    _say(f"`demo --no-serve`: sent, {mails} different mails.")


def _send(bare: BareSystem) -> None:
    """Approve and send the demo's second issue, with the settings in a file, as an installation has them."""
    if not (bare.root / "home/var/demo").is_dir():
        _run_demo(bare)
    (bare.root / "home/.env").write_text("NEWSLETTER_DATA_DIR=/home/var/demo\nNEWSLETTER_LINK_CHECKS=false\n")
    bare.run("approve", "boletin/latest", "--by", _LOGIN)
    bare.run("send", "boletin/latest", "--now")
    said = bare.run("status", "boletin/latest")
    if "send submitted by outbox" not in said:
        raise SystemExit(f"`send --now` did not send: {said}")
    (bare.root / "home/.env").unlink()
    _say("`approve` and `send --now` to the outbox: sent.")


def _run_other_processes(bare: BareSystem) -> None:
    """Measure a send, for which the program starts itself again twice."""
    bare.run("bench", "--only", "sends", "--recipients", "5000")
    _say("`bench` with processes of its own: measured.")


def _serve_a_page(bare: BareSystem) -> None:
    port, log = free_port(), bare.root / "tmp/serve.log"
    started = time.monotonic()
    process = bare.start("serve", "--port", str(port), log=log)
    try:
        page = _get(port, "/accounts/login/", process, log=log)
        seconds = time.monotonic() - started
        style = re.search(rb'href="(/static/[^"]+\.css)"', page)
        if style is None or not _get(port, style[1].decode(), process, log=log):
            raise SystemExit("The sign-in page has no style sheet.")
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
    if status:
        raise SystemExit(f"`newsletter serve` ended with {status}: {log.read_text(errors='replace')}")
    left = _list_processes(bare.root)
    if left:
        raise SystemExit(f"`newsletter serve` was told to stop and left processes: {left}")
    _say(
        f"`serve` on an empty folder: the sign-in page after {seconds:.1f} seconds, and its style sheet. It stopped when told to."
    )


def _get(port: int, path: str, process: "subprocess.Popen[bytes]", *, log: Path) -> bytes:
    end = time.monotonic() + SECONDS_TO_SERVE
    while time.monotonic() < end and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status == http.HTTPStatus.OK:
                return answer.read()
            raise SystemExit(f"{path} answers {answer.status}.")
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit(f"`newsletter serve` did not answer for {path}: {log.read_text(errors='replace')}")


def _print_help(bare: BareSystem) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda command: bare.run(command, "--help"), COMMANDS))
    _say(f"{len(COMMANDS)} commands: each prints its help.")


def _list_processes(root: Path) -> list[str]:
    """Return the commands of the processes whose root folder is this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "root").readlink() == root:
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it has just ended
    return found


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


CHECKS: dict[str, Callable[[BareSystem], None]] = {
    "start": _measure_start,
    "demo": _run_demo,
    "send": _send,
    "serve": _serve_a_page,
    "processes": _run_other_processes,
    "commands": _print_help,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
