"""Judge a canary's mail as it arrived: its folder, copies, signature, headers, pictures, links and the page to unsubscribe."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import authres
from django.conf import settings

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.content.fetching.fetcher import Fetcher
from newsletter.models import CanaryMail
from newsletter.sending.canaries.message_links import (
    Answer,
    CheckedAddresses,
    check_links,
    check_page,
    check_pictures,
    list_addresses,
)
from newsletter.sending.deliverability.domain_checks.lookup import FindTxtRecords
from newsletter.sending.deliverability.findings import Finding, error, ok, warning
from newsletter.sending.deliverability.message_check import ONE_CLICK_CODE, check_received_message

CHECK_SECONDS = 60.0
"""The time limit for the addresses of one mail. Addresses that remain are reported as not checked."""
MAX_NAMED = 3
COPIES_CODE = "copies"
PAGE, PICTURES, LINKS = Message("page to unsubscribe"), Message("pictures"), Message("links")
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""The errors that Python's parser of mails raises for some damaged mails."""
_Placement, _Result = CanaryMail.Placement, CanaryMail.Result


@dataclass(frozen=True)
class FoundMail:
    """The placement of a mail in a mailbox, its time of arrival, and its number of copies."""

    placement: CanaryMail.Placement
    folder: str
    arrived_at: datetime
    copies: int


def record_found(mail: CanaryMail, found: FoundMail, *, findings: list[Finding], now: datetime) -> None:
    """Store a found mail. A mail that was found before keeps its placement and its findings, and may have more copies.

    If another process stored it first, its result stays and only the number of copies can grow.
    """
    while not _write_found(mail, found, findings=findings, now=now):
        newest = CanaryMail.objects.filter(pk=mail.pk, state__in=CanaryMail.HANDED_OVER).first()
        if newest is None:
            return
        mail = newest


def _write_found(mail: CanaryMail, found: FoundMail, *, findings: list[Finding], now: datetime) -> bool:
    """Store a found mail. Return False if the row changed since it was read."""
    copies = min(max(found.copies, mail.copies), 999)
    if mail.result in (_Result.UNKNOWN, _Result.MISSING):
        placement, folder, arrived_at = found.placement, found.folder, found.arrived_at
    else:
        placement, folder, arrived_at = _Placement(mail.placement), mail.folder, mail.arrived_at or found.arrived_at
        findings = [earlier for row in mail.findings if (earlier := Finding.from_row(row)).code != COPIES_CODE]
    findings = [*findings, *_check_copies(copies)]
    as_read = CanaryMail.objects.filter(
        pk=mail.pk, state__in=CanaryMail.HANDED_OVER, result=mail.result, copies=mail.copies
    )
    updated = as_read.update(
        result=_find_result(placement, findings),
        placement=placement,
        folder=folder[:200],
        arrived_at=arrived_at,
        copies=copies,
        findings=[finding.to_row() for finding in findings],
        measured_at=now,
    )
    return bool(updated)


def judge_message(raw: bytes, *, find: FindTxtRecords, fetcher: Fetcher) -> list[Finding]:
    """Return all findings about a mail as it arrived. It asks DNS and the sites that the mail names."""
    until = time.monotonic() + CHECK_SECONDS
    try:
        email = message_from_bytes(raw, policy=policy.default)
        return [*_check_headers(raw, email, find=find), *_check_addresses(email, fetcher=fetcher, until=until)]
    except _UNREADABLE as problem:
        return [_describe_unreadable(type(problem).__name__)]


def _find_result(placement: CanaryMail.Placement, findings: list[Finding]) -> CanaryMail.Result:
    if placement == _Placement.SPAM:
        return _Result.SPAM
    return _Result.BROKEN if any(finding.level == "error" for finding in findings) else _Result.GOOD


def _check_headers(raw: bytes, email: EmailMessage, *, find: FindTxtRecords) -> Iterator[Finding]:
    """Yield the findings of `newsletter doctor --message`. The mailbox is ours, so the result that its server wrote counts."""
    try:
        for finding in check_received_message(raw, find=find, receiver=_find_receiver(email)):
            if finding.code == ONE_CLICK_CODE and not settings.NEWSLETTER_SITE_URL.startswith("https:"):
                continue  # a site without TLS is an error of its own, which `newsletter doctor` reports
            yield finding
    except NotReady as problem:
        yield _describe_unreadable(problem)


def _describe_unreadable(problem: object) -> Finding:
    says = Message("The mail as it arrived cannot be checked: %(problem)s", problem=problem)
    return error(Message("headers"), says, Message("Look at the mail in the mailbox. Something changed it on its way."))


def _find_receiver(email: EmailMessage) -> str:
    """Return the name of the server that wrote the topmost Authentication-Results field, "" without one."""
    topmost = next(iter(email.get_all("Authentication-Results", [])), "")
    try:
        return str(authres.AuthenticationResultsHeader.parse_value(str(topmost)).authserv_id or "")
    except authres.AuthResError:
        return ""


def _check_addresses(email: EmailMessage, *, fetcher: Fetcher, until: float) -> Iterator[Finding]:
    addresses = list_addresses(email)
    is_own = addresses.unsubscribe.startswith(f"{settings.NEWSLETTER_SITE_URL.rstrip('/')}/u/")
    yield _describe_page(check_page(addresses.unsubscribe, fetcher=fetcher) if is_own else None)
    yield from _describe_addresses(PICTURES, check_pictures(addresses.pictures, fetcher=fetcher, until=until))
    yield from _describe_addresses(LINKS, check_links(addresses.links, fetcher=fetcher, until=until))


def _describe_page(answer: Answer | None) -> Finding:
    if answer is None:
        says = Message("The mail has no link to our page to unsubscribe in its header.")
        return error(PAGE, says, Message("Check whether your provider replaced our link with one of its own."))
    if answer == "works":
        return ok(PAGE, Message("It opens. Opening it unsubscribes nobody."))
    if answer == "unknown":
        do = Message("If the site is on a private network, name its host in NEWSLETTER_FETCH_ALLOW.")
        return warning(PAGE, Message("It was not checked: its address is not one that may be fetched from here."), do)
    do = Message("Open the link of the mail in a browser. Nobody can unsubscribe by it until it works.")
    return error(PAGE, Message("It does not open."), do)


def _describe_addresses(check: Message, checked: CheckedAddresses) -> Iterator[Finding]:
    if checked.dead:
        do = Message(
            "Correct the address before the rest is sent: stop the send permanently, then correct the issue and send it to "
            "those not reached."
        )
        yield error(check, Message("Dead: %(addresses)s", addresses=_name(checked.dead)), do)
    if checked.silent:
        do = Message("Open the address in a browser. The site may be down, or not answer programs.")
        yield warning(check, Message("No answer: %(addresses)s", addresses=_name(checked.silent)), do)
    if checked.unknown:
        do = Message("Open the address in a browser.")
        yield warning(check, Message("Not checked: %(addresses)s", addresses=_name(checked.unknown)), do)
    if checked.works and not checked.dead:
        yield ok(check, Message("%(count)s answered.", count=checked.works))


def _check_copies(copies: int) -> Iterator[Finding]:
    if copies > 1:
        says = Message("We sent this mail once, but the mailbox has %(copies)s copies.", copies=copies)
        do = Message("Ask your provider why before you resume: subscribers may get the issue twice too.")
        yield replace(error(Message("copies"), says, do), code=COPIES_CODE)


def _name(addresses: tuple[str, ...]) -> Message | str:
    addresses_text = ", ".join(address[:90] for address in addresses[:MAX_NAMED])
    more = len(addresses) - MAX_NAMED
    return Message("%(named)s and %(more)s more", named=addresses_text, more=more) if more > 0 else addresses_text
