"""Check a received message: is it signed, by whom, what does the signature cover, and what did the receiver find?"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import Message as Email
from email.utils import getaddresses

import authres

from newsletter.common.errors import BadAddress, NotReady
from newsletter.common.messages import Message, Quantity
from newsletter.sending.deliverability.dkim_signatures import Signature, read_signatures
from newsletter.sending.deliverability.domain_checks.lookup import FindTxtRecords, NoAnswer
from newsletter.sending.deliverability.findings import Finding, error, ok, warning
from subscribers.addresses.normalise import to_ascii

MAX_BYTES = 5_000_000
MIN_KEY_BITS, RECOMMENDED_KEY_BITS = 1024, 2048
SIGNED_HEADERS = ("From", "Subject", "Date", "To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post")
ONE_CLICK = "List-Unsubscribe=One-Click"
SIGNATURE = Message("DKIM signature")
ONE_CLICK_CODE = "one_click"
ONE_CLICK_CHECK = Message("one-click unsubscribe")
RECEIVER_CHECK = Message("result of the receiver")
_METHODS = ("dkim", "spf", "dmarc")


def check_received_message(raw: bytes, *, find: FindTxtRecords, receiver: str = "") -> Iterator[Finding]:
    """Yield every finding about the source of a message. Raise NotReady if it is not a message.

    ``receiver`` is the authserv-id of the server that received it (RFC 8601); without it, that check is left out.
    """
    raw = raw.lstrip(b"\xef\xbb\xbf\r\n\t ")
    email = _read(raw)
    domain = _find_sender_domain(email)
    yield ok(Message("sender"), Message("The message is from %(domain)s.", domain=domain))
    yield replace(_check_one_click(email), code=ONE_CLICK_CODE)
    try:
        signatures = list(read_signatures(raw, find=find))
        yield from _check_signatures(signatures, domain=domain)
        yield from _check_feedback_id(email, signatures=signatures, domain=domain)
    except NoAnswer as problem:
        yield warning(
            SIGNATURE, problem.message, Message("Check that this machine can reach DNS, then run this again.")
        )
    if receiver:
        yield from _check_receiver_results(email, receiver=receiver)


def _read(raw: bytes) -> Email:
    if len(raw) > MAX_BYTES:
        raise NotReady(
            "The message has %(size)s bytes; at most %(limit)s are read. Send a proof and check that instead.",
            size=Quantity(len(raw)),
            limit=Quantity(MAX_BYTES),
        )
    email = message_from_bytes(raw, policy=policy.compat32)
    if not email.keys():
        raise NotReady(
            "This is not the source of a message. In the mailbox choose “Show original” or “View source”, and give all of it."
        )
    return email


def _find_sender_domain(email: Email) -> str:
    senders = email.get_all("From", [])
    addresses = [address for _, address in getaddresses([str(sender) for sender in senders])]
    if len(senders) != 1 or len(addresses) != 1:
        raise NotReady(
            "The message has %(lines)s From lines with %(addresses)s addresses; it must have one of each. Send a proof and "
            "check that instead.",
            lines=len(senders),
            addresses=len(addresses),
        )
    try:
        return to_ascii(addresses[0]).rpartition("@")[2]
    except BadAddress as problem:
        raise NotReady("The From line of the message cannot be read: %(problem)s", problem=problem) from problem


def _check_one_click(email: Email) -> Finding:
    link = "".join(str(email.get("List-Unsubscribe", "")).split())
    post = str(email.get("List-Unsubscribe-Post", "")).strip()
    if "<https://" in link and post == ONE_CLICK:
        by_mail = Message(" Beside it is an address to unsubscribe by mail.") if "<mailto:" in link else ""
        return ok(ONE_CLICK_CHECK, Message("Both lines are there, and the link is HTTPS.") + by_mail)
    if not link or not post:
        do = Message("Send a proof of an issue and check that: confirmations and notices to staff do not have them.")
        says = Message("The lines List-Unsubscribe and List-Unsubscribe-Post are not both there.")
        return error(ONE_CLICK_CHECK, says, do)
    if post != ONE_CLICK:
        do = Message("Something changed the line after it was sent. Ask your provider.")
        says = Message("List-Unsubscribe-Post is not “%(one_click)s”.", one_click=ONE_CLICK)
        return error(ONE_CLICK_CHECK, says, do)
    do = Message(
        "Use https:// in NEWSLETTER_SITE_URL. Check whether your provider replaced our link with one of its own."
    )
    return error(ONE_CLICK_CHECK, Message("The link of List-Unsubscribe is not HTTPS."), do)


def _check_feedback_id(email: Email, *, signatures: list[Signature], domain: str) -> Iterator[Finding]:
    """Yield whether Gmail can count spam reports by the Feedback-ID line; nothing for a mail without one."""
    lines = len(email.get_all("Feedback-ID", []))
    aligned = [signature for signature in signatures if _is_aligned(signature.domain, domain) and not signature.problem]
    is_signed = any("feedback-id" in signature.headers for signature in aligned)
    if lines == 1 and is_signed:
        yield ok("Feedback-ID", Message("Gmail’s Postmaster Tools can show spam reports by it: your domain signed it."))
    elif lines > 1:
        do = Message("Ask your provider to leave out its own: Gmail counts by one line that your domain signed.")
        yield warning("Feedback-ID", Message("The message has %(lines)s such lines.", lines=lines), do)
    elif lines and aligned:
        do = Message("Ask your provider to sign this line. Otherwise Gmail’s Postmaster Tools show nothing by issue.")
        yield warning("Feedback-ID", Message("The signature of your domain does not cover it."), do)


def _check_signatures(signatures: list[Signature], *, domain: str) -> Iterator[Finding]:
    """Yield the findings of the sender's own valid signature with the fewest problems; without one, an error."""
    if not signatures:
        do = Message(
            "Verify your domain on your provider’s pages, or set up DKIM on your mail server, so that it signs in your name."
        )
        yield error(SIGNATURE, Message("The message is not signed."), do)
        return
    aligned = [signature for signature in signatures if _is_aligned(signature.domain, domain)]
    valid = [signature for signature in aligned if not signature.problem]
    if not aligned:
        yield _describe_foreign(signatures, domain=domain)
    elif not valid:
        do = Message(
            "Check that you pasted the whole source unchanged. Then compare the key in DNS with your provider’s pages, "
            "or with your mail server’s key."
        )
        says = Message(
            "The signature of %(domain)s is not valid: %(problem)s.",
            domain=aligned[0].domain,
            problem=aligned[0].problem,
        )
        yield error(SIGNATURE, says, do)
    else:
        yield from min((list(_check_signature(signature)) for signature in valid), key=_count_problems)


def _check_signature(signature: Signature) -> Iterator[Finding]:
    yield ok(
        SIGNATURE,
        Message(
            "%(domain)s signed it (%(selector)s), and the signature is valid.",
            domain=signature.domain,
            selector=signature.selector,
        ),
    )
    name = Message("signature of %(domain)s", domain=signature.domain)
    missing = [header for header in SIGNED_HEADERS if header.lower() not in signature.headers]
    if missing:
        do = Message(
            "Ask your provider to sign these lines. Mailbox providers accept one-click unsubscribe only if they are signed."
        )
        yield error(name, Message("It does not cover %(headers)s.", headers=", ".join(missing)), do)
    else:
        yield ok(name, Message("The signature covers all required header fields."))
    if signature.covers_part_of_body:
        do = Message("Ask your provider to leave out l=: it lets anybody add text at the end of the mail.")
        yield error(name, Message("It covers only the beginning of the text (l=)."), do)
    if signature.bits and signature.bits < RECOMMENDED_KEY_BITS:
        level = error if signature.bits < MIN_KEY_BITS else warning
        do = Message(
            "Make a key of %(bits)s bits on your provider’s pages or your mail server, and put it into DNS.",
            bits=RECOMMENDED_KEY_BITS,
        )
        yield level(name, Message("Its key has %(bits)s bits.", bits=signature.bits), do)


def _describe_foreign(signatures: list[Signature], *, domain: str) -> Finding:
    names = ", ".join(sorted({signature.domain for signature in signatures if signature.domain})) or Message("nobody")
    do = Message(
        "Verify %(domain)s on your provider’s pages, or set up DKIM for it on your mail server, so that it signs as %(domain)s.",
        domain=domain,
    )
    says = Message(
        "It is signed by %(names)s, not by %(domain)s, so it proves nothing about the sender.",
        names=names,
        domain=domain,
    )
    return error(SIGNATURE, says, do)


def _is_aligned(signer: str, sender: str) -> bool:
    """Return True if the domains are equal or one is below the other, as in DMARC's relaxed alignment."""
    return bool(signer) and (
        signer == sender or signer.endswith(f".{sender}") or (sender.endswith(f".{signer}") and "." in signer)
    )


def _count_problems(findings: Iterable[Finding]) -> tuple[int, int]:
    levels = [finding.level for finding in findings]
    return levels.count("error"), levels.count("warning")


def _check_receiver_results(email: Email, *, receiver: str) -> Iterator[Finding]:
    """Yield the receiver's results for DKIM, SPF and DMARC.

    Only the topmost Authentication-Results field of the receiver counts: anybody can write the others.
    """
    parsed = [_parse_results(str(value)) for value in email.get_all("Authentication-Results", [])]
    fields = [field for field in parsed if field is not None]
    receiver_field = next((field for field in fields if str(field.authserv_id or "").lower() == receiver.lower()), None)
    if receiver_field is None:
        says = Message("Not verified: no field of %(receiver)s.", receiver=receiver)
        others = sorted({str(field.authserv_id) for field in fields if field.authserv_id})
        if others:
            says += Message(
                " Fields of %(others)s are there; anybody can write such a field, so they do not count.",
                others=", ".join(others),
            )
        do = Message(
            "Look in the message’s source for the name after “Authentication-Results:”, and check that you received it there."
        )
        yield error(RECEIVER_CHECK, says, do)
        return
    results = {str(result.method).lower(): str(result.result).lower() for result in reversed(receiver_field.results)}
    for method in _METHODS:
        yield _describe_result(method, results.get(method, ""), receiver=receiver)


def _describe_result(method: str, result: str, *, receiver: str) -> Finding:
    name = Message("%(method)s at %(receiver)s", method=method, receiver=receiver)
    if result == "pass":
        return ok(name, Message("It passed."))
    if not result:
        do = Message("Send the proof to a mailbox of a large provider as well.")
        return warning(name, Message("%(receiver)s does not mention it.", receiver=receiver), do)
    level = error if method == "dmarc" or result in ("fail", "permerror") else warning
    do = Message("Repair the domain’s records as your provider’s pages say, or ask whoever runs your mail server.")
    return level(name, Message("It did not pass: %(result)s.", result=result), do)


def _parse_results(value: str) -> authres.AuthenticationResultsHeader | None:
    try:
        return authres.AuthenticationResultsHeader.parse_value(value)
    except authres.AuthResError:
        return None
