"""The scripts that dpkg runs, with a program in the place of systemctl that starts, stops and disables units."""

import os
import subprocess
from pathlib import Path

import pytest

from scripts.debian_package.control import FILES

WEB, SCHEDULER = "newsletter-web.service", "newsletter-scheduler.service"
FIRST, SECOND = "newsletter-worker@1.service", "newsletter-worker@2.service"
BACKUP = "newsletter-backup.service"
SPLIT = [SCHEDULER, WEB, FIRST, SECOND]
_SYSTEMCTL = """#!/bin/sh
cd ROOT
command=$1
shift
case $command in
    list-units) sed 's/$/ loaded active running Newsletter/' active ;;
    stop)
        if grep -qx "$1" stuck; then sed -i "/^$1\\$/d" stuck; exit 1; fi
        sed -i "/^$1\\$/d" active
        ;;
    start) echo "$1" >>active ;;
    disable) for unit; do rm -f "etc/systemd/system/multi-user.target.wants/$unit"; done ;;
esac
"""


class Machine:
    """A folder in which the scripts act."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.wants = root / "etc/systemd/system/multi-user.target.wants"
        for folder in (self.wants, root / "run/systemd/system", root / "data", root / "bin"):
            folder.mkdir(parents=True)
        (root / "data/.env").write_text("")
        self.set(active=[], stuck=[])
        self._put("systemctl", _SYSTEMCTL.replace("ROOT", str(root)))
        self._put("getent", "#!/bin/sh\n")

    def _put(self, name: str, text: str) -> None:
        (self.root / "bin" / name).write_text(text)
        (self.root / "bin" / name).chmod(0o755)

    def set(self, **lists: list[str]) -> None:
        for name, units in lists.items():
            (self.root / name).write_text("".join(f"{unit}\n" for unit in units))

    def enable(self, *units: str) -> None:
        for unit in units:
            (self.wants / unit).symlink_to("/nowhere")

    def read_active(self) -> list[str]:
        return sorted((self.root / "active").read_text().split())

    def read_enabled(self) -> list[str]:
        return sorted(path.name for path in self.wants.iterdir())

    def run(self, script: str, *arguments: str, status: int = 0) -> str:
        text = (FILES / script).read_text()
        for place, here in (("/run/", "run/"), ("/etc/systemd/", "etc/systemd/"), ("/var/lib/newsletter", "data")):
            text = text.replace(place, f"{self.root}/{here}")
        assert "/var/" not in text.replace(str(self.root), "")
        environment = {"PATH": f"{self.root}/bin:{os.environ['PATH']}"}
        command = ["sh", "-c", text, script, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_upgrade_starts_the_units_that_it_stopped(machine: Machine) -> None:
    machine.set(active=SPLIT)
    machine.run("prerm", "upgrade", "1.1")
    assert machine.read_active() == []
    machine.run("postinst", "configure", "1.0")
    assert machine.read_active() == SPLIT


def test_a_stop_that_fails_once_loses_no_unit(machine: Machine) -> None:
    machine.set(active=SPLIT, stuck=[WEB])
    said = machine.run("prerm", "upgrade", "1.1", status=1)
    assert machine.read_active() == [WEB]
    assert f"did not stop, so their files stay: {WEB}." in said
    machine.run("prerm", "failed-upgrade", "1.0")
    assert machine.read_active() == []
    machine.run("postinst", "configure", "1.0")
    assert machine.read_active() == SPLIT


def test_a_removal_disables_the_workers_too(machine: Machine) -> None:
    machine.enable(*SPLIT, BACKUP)
    machine.run("prerm", "remove")
    assert machine.read_enabled() == [BACKUP]


def test_a_purge_keeps_a_unit_of_the_administrator(machine: Machine) -> None:
    machine.enable("newsletter.service", *SPLIT, BACKUP)
    machine.run("postrm", "purge")
    assert machine.read_enabled() == [BACKUP]


@pytest.mark.parametrize("enabled", ["newsletter.service", FIRST])
def test_an_installation_with_an_enabled_unit_gives_no_hint(machine: Machine, enabled: str) -> None:
    machine.enable(enabled)
    assert machine.run("postinst", "configure", "1.0") == ""


@pytest.mark.parametrize("enabled", [[], [BACKUP]])
def test_an_installation_without_an_enabled_unit_gives_a_hint(machine: Machine, enabled: list[str]) -> None:
    machine.enable(*enabled)
    assert "sudo systemctl enable --now newsletter" in machine.run("postinst", "configure", "1.0")


def test_a_new_installation_names_the_set_up(machine: Machine) -> None:
    (machine.root / "data/.env").unlink()
    assert "sudo newsletter setup" in machine.run("postinst", "configure", "")
