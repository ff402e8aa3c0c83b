"""A new Debian of nothing but its smallest packages, in a folder that is the root of its processes. It needs root."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.one_file.steps import Steps
from tests.packaging.build import ROOT

WORK = ROOT / "build/packaging"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NEEDED = ("debootstrap", "mount", "chroot")
_SYSTEMCTL = r"""#!/bin/sh
# Start and stop the package's units as systemd would, and note what was asked.
runs() { [ -f "/run/units/$1.pid" ] && grep -qs "^State:[[:space:]]*[^Z]" "/proc/$(cat "/run/units/$1.pid")/status"; }
echo "$*" >>/run/systemctl.log
case "$1" in
    list-units)
        for file in /run/units/*.pid; do
            unit=$(basename "$file" .pid)
            if runs "$unit"; then echo "$unit loaded active running Newsletter"; fi
        done
        ;;
    start)
        . /etc/newsletter/newsletter.env
        cd /var/lib/newsletter
        command=$(sed -n "s/^ExecStart=//p" "/usr/lib/systemd/system/$(echo "$2" | sed "s/@.*[.]/@./")")
        eval "exec setpriv --reuid=newsletter --regid=newsletter --init-groups $command" \
            >"/run/units/$2.log" 2>&1 </dev/null &
        echo $! >"/run/units/$2.pid"
        ;;
    stop)
        if runs "$2"; then kill "$(cat "/run/units/$2.pid")"; fi
        while runs "$2"; do sleep 0.1; done
        rm -f "/run/units/$2.pid"
        ;;
esac
"""


class BareDebian:
    """The system in the folder ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def start(self, *command: str, user: str = "root", folder: str = "/") -> "subprocess.Popen[str]":
        """Start a command as this user in this folder, with an environment of three variables."""
        home = "/root" if user == "root" else f"/home/{user}"
        run_as = () if user == "root" else ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups")
        inside = ("env", "-i", "-C", folder, f"PATH={_PATH}", f"HOME={home}", "DEBIAN_FRONTEND=noninteractive")
        return subprocess.Popen(
            ("chroot", str(self.root), *inside, *run_as, *command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def run(self, *command: str, user: str = "root", folder: str = "/", status: int = 0) -> str:
        """Return what a command printed. Raise SystemExit if it ended with another status."""
        process = self.start(*command, user=user, folder=folder)
        said, _ = process.communicate(timeout=1800)
        if process.returncode != status:
            raise SystemExit(f"`{' '.join(command)}` ended with {process.returncode}: {said}")
        return said

    def copy(self, file: Path) -> str:
        """Copy a file into the system's /tmp, and return its path there."""
        shutil.copy(file, self.root / "tmp")
        return f"/tmp/{file.name}"

    def imitate_systemd(self) -> None:
        """Put a `systemctl` there that starts and stops the units of the package."""
        (self.root / "run/systemd/system").mkdir(parents=True)
        (self.root / "run/units").mkdir()
        program = self.root / "usr/bin/systemctl"
        program.write_text(_SYSTEMCTL, encoding="utf-8")
        program.chmod(0o755)

    def read_calls(self) -> list[str]:
        """Return what `systemctl` was asked since the last call of this method."""
        log = self.root / "run/systemctl.log"
        calls = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return calls

    def read_pids(self) -> dict[str, int]:
        """Return the number of the process of each unit that runs."""
        files = sorted((self.root / "run/units").glob("*.pid"))
        return {file.stem: int(file.read_text(encoding="utf-8")) for file in files}

    def read_log(self, unit: str) -> str:
        """Return what a unit printed since its last start."""
        return (self.root / f"run/units/{unit}.log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def make_bare_debian() -> Iterator[BareDebian]:
    """Make the system in a temporary folder. What was downloaded for it stays in build/packaging."""
    if missing := [name for name in _NEEDED if shutil.which(name) is None]:
        raise SystemExit(f"These programs are needed: {', '.join(missing)}. Try: apt-get install {' '.join(missing)}")
    suite = _read_suite()
    base = Steps(WORK).keep(f"debian-{suite}", key=suite, make=lambda made: _install_debian(made, suite=suite))
    with TemporaryDirectory(prefix="newsletter-debian-") as folder:
        root = Path(folder) / "root"
        subprocess.run(["cp", "-a", str(base), str(root)], check=True)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
        system = BareDebian(root)
        try:
            yield system
        finally:
            for unit in system.read_pids():
                system.run("systemctl", "stop", unit)
            subprocess.run(["umount", str(root / "proc")], check=True)


def _install_debian(folder: Path, *, suite: str) -> None:
    command = ("debootstrap", "--variant=minbase", suite, str(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"`{' '.join(command)}` failed: {done.stdout}{done.stderr}")


def _read_suite() -> str:
    """Return the name of this machine's Debian: the package needs its C library, or a newer one."""
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    names = dict(line.partition("=")[::2] for line in lines)
    return names["VERSION_CODENAME"].strip('"')
