"""Reads the mails that a running demonstration wrote to its outbox, as their reader would."""

import re
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.support.time_limits import ANSWER_SECONDS


def wait_for_link(outbox: Path, *, to: str, path: str) -> str:
    """The address of the link `/path/…` in the newest mail to this reader; waits until one came."""
    end = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < end:
        for mail in find_mails(outbox, to=to):
            body = mail.get_body(("plain",))
            found = re.search(rf"https?://\S+/{path}/[\w-]+(?:\.[\w-]+)*", body.get_content()) if body else None
            if found:
                return found[0]
        time.sleep(0.5)
    raise AssertionError(f"No mail with a link to /{path}/ came to {to} within {ANSWER_SECONDS} seconds.")


def find_mails(outbox: Path, *, to: str) -> list[EmailMessage]:
    """Return the mails to this reader, the newest first."""
    files = sorted(outbox.glob("**/*.eml"), key=lambda file: file.stat().st_mtime, reverse=True)
    mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return [mail for mail in mails if isinstance(mail, EmailMessage) and to in str(mail["to"])]
