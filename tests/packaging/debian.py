"""Install the Debian package on a bare Debian and use it there: python -m tests.packaging.debian (as root)

It prints what each check did. Name checks to run only those: python -m tests.packaging.debian install demo
"""

import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from scripts.debian_package.build import pack
from scripts.debian_package.control import name_file
from scripts.one_file.build import WORK
from scripts.one_file.tree import make_tree
from scripts.release import read_version
from tests.packaging.bare_debian import BareDebian, make_bare_debian
from tests.packaging.build import ROOT, hash_file
from tests.support.ports import free_port

PACKAGE = ROOT / "dist" / name_file(read_version())
SECONDS_TO_SERVE = 300
_LOGIN = "desk@example.org"
_DATA = "var/lib/newsletter"
_UNCHECKED_HASH = 1
"""In the fifth byte of a compiled module: Python never compares it with the time of its source."""
_PARTS = {
    "newsletter-web.service": "Serving ",
    "newsletter-scheduler.service": "The scheduler runs",
    "newsletter-worker@1.service": "The worker is running",
}
"""The units of several machines, and what each prints once it runs."""


class Bench(NamedTuple):
    """The system that the checks use, and a folder for further packages."""

    system: BareDebian
    folder: Path


def main(chosen: list[str]) -> int:
    unknown = sorted(set(chosen) - CHECKS.keys())
    if unknown:
        sys.stderr.write(f"There is no check {', '.join(unknown)}. Choose from: {', '.join(CHECKS)}\n")
        return 2
    if not PACKAGE.is_file():
        sys.stderr.write(f"There is no {PACKAGE}. Build it: python -m scripts.debian_package.build\n")
        return 1
    if os.geteuid():
        sys.stderr.write("Only root may change the root folder. Run this as root, such as: sudo make debian-package\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="newsletter-packages-") as folder, make_bare_debian() as system:
        bench = Bench(system, Path(folder))
        for name in [name for name in CHECKS if name in chosen or not chosen]:
            started = time.monotonic()
            _say(f"{name} ...")
            CHECKS[name](bench)
            _say(f"{name}: {time.monotonic() - started:.0f} seconds.")
    return 0


def _compare_bytes(bench: Bench) -> None:
    """Make the folder with the program again, and a package of it."""
    (site_packages,) = (WORK / "product/lib").glob("python3*/site-packages")
    tree = bench.folder / "tree"
    tree.mkdir()
    make_tree(tree, site_packages=site_packages, patchelf=WORK / "tools/bin/patchelf")
    timed = [file for file in tree.rglob("*.pyc") if file.read_bytes()[4] != _UNCHECKED_HASH]
    if timed:
        raise SystemExit(
            f"{len(timed)} modules are compiled again at each start, because a package changes their times: {timed[:3]}"
        )
    again = pack(tree, work=bench.folder / "work", out=bench.folder / "again", version=read_version())
    if hash_file(again) != hash_file(PACKAGE):
        raise SystemExit(
            f"The package built again has other bytes: {again.stat().st_size} and {PACKAGE.stat().st_size}. If the checkout "
            "has another commit or changelog since it was built, build it again: python -m scripts.debian_package.build"
        )
    _say(f"{PACKAGE.name}: {PACKAGE.stat().st_size / 1e6:.0f} MB, built twice, with equal bytes.")


def _install(bench: Bench) -> None:
    system = bench.system
    before = set(_list_packages(system))
    said = system.run("dpkg", "-i", system.copy(PACKAGE))
    if "sudo newsletter setup" not in said:
        raise SystemExit(f"The installation does not say what to do next: {said}")
    if set(_list_packages(system)) - before != {"newsletter"}:
        raise SystemExit("Something else than the package was installed.")
    state = (system.root / _DATA).stat()
    if state.st_mode & 0o777 != 0o700 or state.st_uid == 0:
        raise SystemExit(f"/{_DATA} is not for the user newsletter alone.")
    system.run("sh", "/var/lib/dpkg/info/newsletter.postinst", "configure", "")
    version = system.run("newsletter", "--version").strip()
    _say(f"`dpkg -i` on a Debian with {len(before)} packages: {version}. A repeated configuration changes nothing.")


def _run_demo(bench: Bench) -> None:
    """Run the demo as a user without rights, in their own folder."""
    system = bench.system
    system.run("useradd", "--create-home", "ann")
    system.run("newsletter", "demo", "--no-serve", user="ann", folder="/home/ann")
    mails = len(list((system.root / "home/ann/var/demo/outbox").rglob("*.eml")))
    if not mails:
        raise SystemExit("`newsletter demo --no-serve` wrote no mail.")
    _say(f"`newsletter demo --no-serve` as a user without rights: sent, {mails} different mails.")


def _send(bench: Bench) -> None:
    """Approve and send the demo's second issue."""
    system = bench.system
    (system.root / "home/ann/.env").write_text("NEWSLETTER_DATA_DIR=/home/ann/var/demo\nNEWSLETTER_LINK_CHECKS=false\n")
    system.run("chown", "ann:ann", "/home/ann/.env")
    for command in (("approve", "boletin/latest", "--by", _LOGIN), ("send", "boletin/latest", "--now")):
        system.run("newsletter", *command, user="ann", folder="/home/ann")
    said = system.run("newsletter", "status", "boletin/latest", user="ann", folder="/home/ann")
    if "send submitted by outbox" not in said:
        raise SystemExit(f"`send --now` did not send: {said}")
    _say("`approve` and `send --now` to the outbox: sent.")


def _set_up(bench: Bench) -> None:
    """Set up the service's own installation as root, as the document says."""
    system = bench.system
    who = ("--administrator=ann@example.org", "--name=Open Door", "--postal-address=1 Example Street, Leeds")
    said = system.run("newsletter", "setup", "--yes", "--sender=news@example.org", *who)
    if "/accounts/password/" not in said:
        raise SystemExit(f"`newsletter setup --yes` gave no link: {said}")
    foreign = [path for path in (system.root / _DATA).rglob("*") if path.lstat().st_uid == 0]
    if foreign:
        raise SystemExit(f"`newsletter setup` left files that belong to root: {foreign[:3]}")
    system.run("newsletter", "doctor", "--quick")
    _say("`newsletter setup --yes` and `newsletter doctor --quick` as root: everything belongs to the user newsletter.")


def _upgrade(bench: Bench) -> None:
    """Install a newer package while the service runs. It stops before its files change, and then the new one serves."""
    system, port = bench.system, free_port()
    options = system.root / "etc/newsletter/newsletter.env"
    options.write_text(options.read_text().replace("--port 8000", f"--port {port}"))
    system.imitate_systemd()
    system.run("systemctl", "start", "newsletter.service")
    _get_sign_in(system, port)
    before, kept = system.read_pids(), (system.root / _DATA / ".env").read_bytes()
    system.read_calls()
    newer = _make_newer(bench)
    system.run("dpkg", "-i", system.copy(newer))
    calls = [call.partition(" ")[0] for call in system.read_calls()]
    if calls != ["list-units", "stop", "daemon-reload", "start"]:
        raise SystemExit(f"The upgrade asked systemd for {calls}.")
    _get_sign_in(system, port)
    _check_started_again(system, before=before)
    if (system.root / _DATA / ".env").read_bytes() != kept or f"--port {port}" not in options.read_text():
        raise SystemExit("The upgrade changed the settings.")
    system.run("systemctl", "stop", "newsletter.service")
    _say("`dpkg -i` of a newer package: the service stopped, and served again with the same settings.")
    _upgrade_parts(system, newer, port=port)


def _upgrade_parts(system: BareDebian, newer: Path, *, port: int) -> None:
    """Install the package over itself while the units of several machines run. All of them stop, and start again."""
    for unit in _PARTS:
        system.run("systemctl", "start", unit)
    _wait_for_parts(system, port=port)
    before = system.read_pids()
    system.read_calls()
    system.run("dpkg", "-i", system.copy(newer))
    calls = system.read_calls()
    stops, starts = ([f"{verb} {unit}" for unit in sorted(_PARTS)] for verb in ("stop", "start"))
    if calls[1:] != [*stops, "daemon-reload", *starts]:
        raise SystemExit(f"The upgrade of several units asked systemd for {calls}.")
    _wait_for_parts(system, port=port)
    _check_started_again(system, before=before)
    _say(f"The same while {', '.join(_PARTS)} run: each stopped, and runs again.")


def _wait_for_parts(system: BareDebian, *, port: int) -> None:
    _get_sign_in(system, port)
    end = time.monotonic() + SECONDS_TO_SERVE
    for unit, says in _PARTS.items():
        while says not in system.read_log(unit):
            if time.monotonic() > end:
                raise SystemExit(f"{unit} does not run: {system.read_log(unit)}")
            time.sleep(0.2)


def _check_started_again(system: BareDebian, *, before: dict[str, int]) -> None:
    """Raise SystemExit unless the same units run, each in a new process."""
    now = system.read_pids()
    if now.keys() != before.keys() or now.items() & before.items():
        raise SystemExit(f"Not every service was started again: {before} before, {now} now.")


def _remove(bench: Bench) -> None:
    system = bench.system
    was_running = bool(system.read_pids())
    system.run("dpkg", "-r", "newsletter")
    if system.read_pids():
        raise SystemExit("The service runs without its files.")
    left = [name for name in ("usr/lib/newsletter", "usr/bin/newsletter") if (system.root / name).exists()]
    if left:
        raise SystemExit(f"The removal left {left}.")
    if not (system.root / _DATA).is_dir():
        raise SystemExit("The removal deleted the data.")
    _say(f"`dpkg -r`: {'the service stopped, ' if was_running else ''}the program is gone, the data is there.")


def _purge(bench: Bench) -> None:
    system = bench.system
    kept = sorted(path.name for path in (system.root / _DATA).iterdir())
    said = system.run("dpkg", "-P", "newsletter")
    if f"/{_DATA} is kept" not in said or sorted(path.name for path in (system.root / _DATA).iterdir()) != kept:
        raise SystemExit(f"The purge did not keep the data, or did not say so: {said}")
    if (system.root / "etc/newsletter").exists():
        raise SystemExit("The purge left /etc/newsletter.")
    system.run("dpkg", "-i", system.copy(PACKAGE))
    system.run("env", "DELETE_NEWSLETTER_DATA=yes", "dpkg", "-P", "newsletter")
    if (system.root / _DATA).exists() or "newsletter" in (system.root / "etc/passwd").read_text():
        raise SystemExit("The purge that was asked to delete the data left some, or the user.")
    _say(
        "`dpkg -P`: the data is kept, and it says so. After another installation, asked to delete it: nothing is left."
    )


def _ask_lintian(bench: Bench) -> None:
    system = bench.system
    package = system.copy(PACKAGE)
    system.run("apt-get", "update", "--quiet")
    system.run("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "lintian")
    said = system.run("lintian", "--allow-root", "--fail-on", "error", package)
    found = re.findall(r"^([EWI]): ", said, re.MULTILINE)
    _say(f"lintian: {found.count('E')} errors, {found.count('W')} warnings. {said.strip()[:2000]}")


def _make_newer(bench: Bench) -> Path:
    """Return the same package with a higher version, packed without compression."""
    folder, newer = bench.folder / "newer", bench.folder / "newer.deb"
    subprocess.run(["dpkg-deb", "--raw-extract", str(PACKAGE), str(folder)], check=True)
    control = folder / "DEBIAN/control"
    control.write_text(re.sub(r"^(Version: .*)$", r"\1.1", control.read_text(), flags=re.MULTILINE))
    subprocess.run(["dpkg-deb", "-Znone", "--build", str(folder), str(newer)], check=True, stdout=subprocess.DEVNULL)
    return newer


def _get_sign_in(system: BareDebian, port: int) -> None:
    """Open the page to sign in. Raise SystemExit if the service does not answer."""
    end = time.monotonic() + SECONDS_TO_SERVE
    while time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/accounts/login/")
            status = connection.getresponse().status
            if status == http.HTTPStatus.OK:
                return
            raise SystemExit(f"The page to sign in answers {status}.")
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    raise SystemExit(f"The service does not answer: {[system.read_log(unit) for unit in system.read_pids()]}")


def _list_packages(system: BareDebian) -> list[str]:
    return system.run("dpkg-query", "--show", "--showformat", "${Package}\\n").split()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


CHECKS: dict[str, Callable[[Bench], None]] = {
    "install": _install,
    "demo": _run_demo,
    "send": _send,
    "setup": _set_up,
    "upgrade": _upgrade,
    "remove": _remove,
    "purge": _purge,
    "bytes": _compare_bytes,
    "lintian": _ask_lintian,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
