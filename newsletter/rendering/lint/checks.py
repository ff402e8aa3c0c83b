"""Check a rendered mail before it can be approved."""

import re
from collections.abc import Iterator

from newsletter.common.messages import Message, Quantity
from newsletter.common.personal_tokens import format_token
from newsletter.rendering.blocks import Document, iter_pictures
from newsletter.rendering.clean_text import UNSAFE_IN_LINE
from newsletter.rendering.lint.document import UNRESOLVED_MARKS, check_document, collect_content_text
from newsletter.rendering.lint.findings import Finding
from newsletter.rendering.lint.html_page import check_page
from newsletter.rendering.lint.tag_balance import check_balance
from newsletter.rendering.mail import RenderedMail

MAX_HTML_BYTES = 102_400
WARN_HTML_BYTES = 90_000
MAX_LINE_BYTES = 998
MIN_TEXT_LETTERS = 90
_STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL)


def lint_mail(mail: RenderedMail, *, document: Document) -> tuple[Finding, ...]:
    """Return the mail's problems, errors first, without duplicates. An error stops a send."""
    findings = [
        *check_document(document),
        *_check_size(mail.html),
        *_check_shortened(mail.html),
        *_check_text_amount(mail, document),
        *check_page(mail.html, language=document.language, postal_address=document.brand.postal_address),
        *check_balance(mail.html),
        *_check_leftovers(mail, document),
        *_check_plain_parts(mail),
    ]
    return tuple(sorted(_remove_duplicates(findings), key=lambda finding: finding.level))


def _remove_duplicates(findings: list[Finding]) -> Iterator[Finding]:
    """Return each finding once. One about the page is left out if its block has the same finding.

    The HTML's title is the subject, so a missing subject is named once.
    """
    block_findings = {(finding.code, finding.message) for finding in findings if finding.block}
    has_no_subject = any(finding.code == "subject-empty" for finding in findings)
    for finding in dict.fromkeys(findings):
        if finding.code == "title" and has_no_subject:
            continue
        if finding.block or (finding.code, finding.message) not in block_findings:
            yield finding


def _check_size(html: str) -> Iterator[Finding]:
    size = len(html.encode())
    if size > MAX_HTML_BYTES:
        message = Message(
            "The mail is %(size)s bytes; mail programs cut it off at %(max_bytes)s, and the links to "
            "unsubscribe with it. Take out a story or two.",
            size=Quantity(size),
            max_bytes=Quantity(MAX_HTML_BYTES),
        )
        yield Finding("error", "size", message)
    elif size > WARN_HTML_BYTES:
        message = Message(
            "The mail is %(size)s bytes; mail programs cut it off at %(max_bytes)s. Consider one story fewer.",
            size=Quantity(size),
            max_bytes=Quantity(MAX_HTML_BYTES),
        )
        yield Finding("warning", "size", message)


def _check_shortened(html: str) -> Iterator[Finding]:
    brief = html.count('class="brief')
    message = Message(
        "There is so much in this issue that %(brief)s stories show their titles alone. Consider fewer stories.",
        brief=brief,
    )
    if brief == 1:
        message = Message("There is so much in this issue that 1 story shows its title alone. Consider fewer stories.")
    if brief:
        yield Finding("warning", "shortened", message)


def _check_text_amount(mail: RenderedMail, document: Document) -> Iterator[Finding]:
    """Find a mail of pictures: spam filters distrust it, and readers without pictures get nothing."""
    pictures = sum(1 for _ in iter_pictures(document.blocks))
    body = mail.text.partition(f"\n{'-' * 40}\n")[0]
    letters = sum(len(line) for line in body.splitlines() if "://" not in line)
    if pictures and letters < MIN_TEXT_LETTERS:
        message = Message(
            "The mail is nearly all images. Say in words what it is about: many readers see no images, "
            "and spam filters distrust mails without words."
        )
        yield Finding("warning", "few-words", message)


def _check_leftovers(mail: RenderedMail, document: Document) -> Iterator[Finding]:
    content = collect_content_text(document)
    bare = _STYLE.sub("", mail.html)
    left = {match.group().lower() for match in UNRESOLVED_MARKS.finditer(f"{mail.subject}\n{bare}\n{mail.text}")}
    marks = {match.group().lower() for match in UNRESOLVED_MARKS.finditer(content)}
    for mark in sorted(left - marks):
        yield Finding(
            "error",
            "unresolved",
            Message("The template left “%(mark)s” in the mail because a value is missing. Report this.", mark=mark),
        )
    for mark in sorted(left & marks):
        message = Message(
            "“%(mark)s” is in the text of a story, event or heading. Recipients will see it exactly like this.",
            mark=mark,
        )
        yield Finding("warning", "literal-marks", message)


def _check_plain_parts(mail: RenderedMail) -> Iterator[Finding]:
    if UNSAFE_IN_LINE.search(mail.subject):
        yield Finding(
            "error",
            "subject-characters",
            Message("The subject contains invisible characters. Type it again by hand."),
            field="subject",
        )
    if not mail.text.strip():
        yield Finding(
            "error", "text-empty", Message("The mail has no plain text part. Add text to a block of the issue.")
        )
    for name in ("unsubscribe", "preferences"):
        if format_token(f"t_{name}") not in mail.text:
            yield Finding(
                "error",
                f"text-{name}",
                Message("The plain text part has no link for “%(name)s”, which the HTML has.", name=name),
            )
    if any(len(line.encode()) > MAX_LINE_BYTES for line in mail.text.splitlines()):
        yield Finding(
            "warning",
            "text-line",
            Message("A line of the plain text part is longer than %(max_length)s bytes.", max_length=MAX_LINE_BYTES),
        )
