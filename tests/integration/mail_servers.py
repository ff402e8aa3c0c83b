"""A real postfix and dovecot on loopback, with configuration, queue and mailboxes of their own: a domain that takes mail."""

import datetime as dt
import grp
import os
import pwd
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import imapclient
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.integration.servers import run_server
from tests.support.ports import free_port

USER, PASSWORD = "replies@news.example.org", "pass word/1"
CANARY = "canary@example.com"
"""A second mailbox."""
MISSING = "Postfix and dovecot are not installed, or this is not root."
_MAIL_OWNER = "nobody"

DOVECOT = """
base_dir = {folder}/dovecot-run
state_dir = {folder}/dovecot-run
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
recipient_delimiter = +
passdb {{
  driver = passwd-file
  args = scheme=plain username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
"""
MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/postfix-data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = mail.example.org
myorigin = mail.example.org
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = news.example.org, example.com
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
recipient_delimiter = +
smtpd_reject_unlisted_recipient = no
smtpd_recipient_restrictions = permit_mynetworks, reject
default_transport = error:only loopback is mailed
notify_classes =
smtputf8_enable = no
smtpd_milters = {milters}
"""
MASTER_CF = """
127.0.0.1:{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class MailServers:
    """The addresses of the servers, and the certificate that programs must trust."""

    folder: Path
    smtp: int
    imap: int
    imaps: int

    @property
    def authority(self) -> Path:
        return self.folder / "certificate.pem"

    def send(self, mail: bytes, *, to: str, sender: str = "") -> None:
        """Hand a mail to postfix. An empty envelope sender is that of a report."""
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=20) as connection:
            connection.sendmail(sender, [to], mail)

    def list_folder(self, folder: str, *, user: str = USER) -> list[bytes]:
        """Return the messages of a folder of the mailbox."""
        with imapclient.IMAPClient("127.0.0.1", self.imap, ssl=False, timeout=20) as client:
            client.login(user, PASSWORD)
            if not client.folder_exists(folder):
                return []
            client.select_folder(folder, readonly=True)
            return [found[b"BODY[]"] for found in client.fetch(client.search("ALL"), ["BODY.PEEK[]"]).values()]

    def wait_for(self, messages: int, *, folder: str = "INBOX", user: str = USER) -> None:
        """Wait until so many messages are in the folder."""
        deadline = time.monotonic() + 30
        while len(self.list_folder(folder, user=user)) < messages:
            assert time.monotonic() < deadline, (self.folder / "postfix.log").read_text()[-3000:]
            time.sleep(0.2)


def are_installed() -> bool:
    """Return True if both servers are there and may be started."""
    return os.geteuid() == 0 and bool(shutil.which("dovecot")) and bool(shutil.which("postfix"))


@contextmanager
def run_mail_servers(*, milter: int = 0, more: Sequence[str] = ()) -> Iterator[MailServers]:
    """Start dovecot and postfix with two mailboxes and ``more``. Other addresses of their domains do not exist, so mail bounces.

    ``milter`` is the port of a server that signs the mail, 0 for none. All mailboxes have the same password.
    """
    with tempfile.TemporaryDirectory(prefix="newsletter-mail-") as folder, _run(Path(folder), milter, more) as servers:
        yield servers


@contextmanager
def _run(folder: Path, milter: int, more: Sequence[str]) -> Iterator[MailServers]:
    servers = MailServers(folder, smtp=free_port(), imap=free_port(), imaps=free_port())
    milters = f"inet:127.0.0.1:{milter}" if milter else ""
    _write_files(servers, lmtp=free_port(), milters=milters, users=(USER, CANARY, *more))
    dovecot = ["dovecot", "-F", "-c", str(folder / "dovecot.conf")]
    with run_server(dovecot, port=servers.imap, log=folder / "dovecot.out"):
        _run_postfix(folder, "start")
        try:
            yield servers
        finally:
            _run_postfix(folder, "stop")


def _run_postfix(folder: Path, command: str) -> None:
    """Start or stop postfix. It answers once it listens, or has ended."""
    subprocess.run(["postfix", "-c", str(folder / "postfix"), command], check=True, capture_output=True, timeout=60)


def _write_files(servers: MailServers, *, lmtp: int, milters: str, users: Sequence[str]) -> None:
    folder, owner = servers.folder, pwd.getpwnam(_MAIL_OWNER)
    # Postfix and dovecot run as users of their own, who must reach what is below.
    folder.chmod(0o711)
    for name in ("mail", "queue", "postfix-data", "postfix", "dovecot-run"):
        (folder / name).mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    os.chown(folder / "postfix-data", pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid)
    values = {"folder": folder, "lmtp": lmtp, "smtp": servers.smtp, "imap": servers.imap, "imaps": servers.imaps}
    (folder / "dovecot.conf").write_text(DOVECOT.format(**values, uid=owner.pw_uid, gid=owner.pw_gid))
    (folder / "users").write_text("".join(f"{user}:{{plain}}{PASSWORD}\n" for user in users))
    (folder / "postfix" / "main.cf").write_text(MAIN_CF.format(**values, milters=milters))
    (folder / "postfix" / "master.cf").write_text(MASTER_CF.format(**values))
    (folder / "mailboxes").write_text("".join(f"{user} {user}\n" for user in users))
    _write_certificate(folder)


def _write_certificate(folder: Path) -> None:
    """Write a certificate for localhost that signs itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "key.pem").chmod(0o600)
