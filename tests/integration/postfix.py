"""A Postfix of our own on loopback: its configuration, queue and mailboxes are in a folder that goes with it."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path

from tests.support.ports import free_port
from tests.support.time_limits import START_SECONDS

PROGRAM = "/usr/sbin/postfix"
MAX_BYTES = 100_000
_MAIL_SECONDS = 30.0
_MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = mail.example.net
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
in_flow_delay = 0
message_size_limit = {max_bytes}
mailbox_size_limit = 0
smtputf8_enable = yes
smtpd_tls_security_level = may
smtpd_tls_chain_files = {certificate}
virtual_mailbox_domains = example.com example.org news.example.org
virtual_mailbox_base = {folder}/mailboxes
virtual_mailbox_maps = regexp:{folder}/mailboxes.regexp
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
transport_maps = inline:{{ {{ gone.example = virtual: }} }}
default_transport = error:5.4.4 only this machine is mailed
"""
_MASTER = """127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
error     unix  - - n - - error
retry     unix  - - n - - error
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
proxymap  unix  - - n - - proxymap
showq     unix  n - n - - showq
postlog   unix-dgram n - n - 1 postlogd
"""
_MAILBOXES = "if !/^unknown|@gone\\.example$/\n/./ everybody/\nendif\n"


@dataclass(frozen=True)
class Postfix:
    """A running server. It takes mail for every address of its domains, except those that begin with ``unknown``.

    What is for ``gone.example`` is accepted and then bounces.
    """

    port: int
    folder: Path

    def wait_for_mails(self, address: str, *, count: int = 1) -> list[EmailMessage]:
        """Return the mails of a mailbox, once there are so many."""
        end = time.monotonic() + _MAIL_SECONDS
        while len(found := self._read(address)) < count:
            if time.monotonic() > end:
                raise AssertionError(f"{address} has {len(found)} mails, not {count}: {self.read_log()[-3000:]}")
            time.sleep(0.1)
        return found

    def read_log(self) -> str:
        path = self.folder / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _read(self, address: str) -> list[EmailMessage]:
        made = []
        for path in sorted((self.folder / "mailboxes" / "everybody" / "new").glob("*")):
            parsed = message_from_bytes(path.read_bytes(), policy=SMTPUTF8)
            assert isinstance(parsed, EmailMessage)
            if parsed["Delivered-To"] == address:
                made.append(parsed)
        return made


def can_run() -> bool:
    """Return True if Postfix is installed and may be started: its master process must begin as root."""
    return Path(PROGRAM).exists() and os.geteuid() == 0


@contextmanager
def run_postfix(certificate: Path) -> Iterator[Postfix]:
    """Start a Postfix with its own queue and stop it at the end. ``certificate`` has a key too."""
    with tempfile.TemporaryDirectory(prefix="newsletter-postfix-", dir="/tmp") as made:
        folder = Path(made)
        folder.chmod(0o755)
        port = free_port()
        _write_configuration(folder, certificate=certificate, port=port)
        server = Postfix(port, folder)
        _run(folder, "start")
        try:
            _wait_until_it_answers(server)
            yield server
        finally:
            # It is no child of ours: only its own command ends all its processes.
            _run(folder, "stop")


def _write_configuration(folder: Path, *, certificate: Path, port: int) -> None:
    for name in ("config", "queue", "data", "mailboxes"):
        (folder / name).mkdir(mode=0o755)
    shutil.chown(folder / "data", user="postfix")
    shutil.chown(folder / "mailboxes", user="nobody", group="nogroup")
    owner = (folder / "mailboxes").stat()
    copy = folder / "server.pem"
    shutil.copyfile(certificate, copy)
    copy.chmod(0o600)
    (folder / "mailboxes.regexp").write_text(_MAILBOXES)
    values = {"folder": folder, "certificate": copy, "max_bytes": MAX_BYTES, "uid": owner.st_uid, "gid": owner.st_gid}
    (folder / "config" / "main.cf").write_text(_MAIN.format(**values))
    (folder / "config" / "master.cf").write_text(_MASTER.format(port=port))
    for name in ("dynamicmaps.cf", "postfix-files"):
        shutil.copyfile(Path("/etc/postfix") / name, folder / "config" / name)
    _run(folder, "check")


def _run(folder: Path, command: str) -> None:
    """Run a command of Postfix about the server of this folder. Raise RuntimeError with what it says if it fails."""
    done = subprocess.run(
        [PROGRAM, "-c", str(folder / "config"), command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"postfix {command} failed: {done.stdout} {done.stderr}")


def _wait_until_it_answers(server: Postfix) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"Postfix did not answer within {START_SECONDS} seconds: {server.read_log()[-2000:]}")
