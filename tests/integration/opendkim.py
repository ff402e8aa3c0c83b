"""A real OpenDKIM on loopback, which signs what postfix takes, with a key that the test can look up."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.servers import run_server
from tests.support.ports import free_port

DOMAIN, SELECTOR = "news.example.org", "s1"
_SIGNED = "From,Subject,Date,To,Message-ID,List-Unsubscribe,List-Unsubscribe-Post,Feedback-ID"
CONFIGURATION = """
Socket inet:{port}@127.0.0.1
Domain {domain}
Selector {selector}
KeyFile {folder}/signing.pem
SignHeaders {signed}
Canonicalization relaxed/relaxed
Mode s
InternalHosts 127.0.0.1
RequireSafeKeys no
Background no
Syslog no
PidFile {folder}/opendkim.pid
"""


def is_installed() -> bool:
    return bool(shutil.which("opendkim"))


@contextmanager
def run_opendkim(folder: Path, *, key: bytes) -> Iterator[int]:
    """Start it with a private key in PEM. Give the port at which postfix finds it."""
    port = free_port()
    (folder / "signing.pem").write_bytes(key)
    configuration = folder / "opendkim.conf"
    configuration.write_text(
        CONFIGURATION.format(port=port, domain=DOMAIN, selector=SELECTOR, folder=folder, signed=_SIGNED)
    )
    with run_server(["opendkim", "-f", "-x", str(configuration)], port=port, log=folder / "opendkim.log"):
        yield port
