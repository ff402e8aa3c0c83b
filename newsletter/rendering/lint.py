"""Checks a rendered mail before anybody may approve it. It changes nothing and sends nothing."""

from newsletter.rendering.blocks import Document
from newsletter.rendering.lint_types import Finding
from newsletter.rendering.mail import RenderedMail

MOST_BYTES = 102_400
MANY_BYTES = 90_000


def check(mail: RenderedMail, *, document: Document) -> tuple[Finding, ...]:
    """Everything that is wrong with the mail, errors first."""
    findings: list[Finding] = []
    size = len(mail.html.encode())
    if size > MOST_BYTES:
        findings.append(
            Finding("error", "size", f"The mail is {size:,} bytes; mail programs cut it off at {MOST_BYTES:,}.")
        )
    elif size > MANY_BYTES:
        findings.append(
            Finding("warning", "size", f"The mail is {size:,} bytes, close to where mail programs cut it off.")
        )
    return tuple(findings)
