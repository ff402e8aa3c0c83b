"""Reads one message as it arrived and says whether mailbox providers can believe it (M8): signed, by whom, over what."""

from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from email.message import Message
from email.utils import getaddresses

from newsletter.common.errors import BadAddress, NotReady
from newsletter.sending.deliverability.auth_results import check_receiver_results
from newsletter.sending.deliverability.dkim_signatures import Signature, read_signatures
from newsletter.sending.deliverability.domain_records import FindTxtRecords, NoAnswer
from newsletter.sending.deliverability.findings import Finding, error, ok, warning
from subscribers.addresses.normalise import to_ascii

MOST_BYTES = 5_000_000
MIN_KEY_BITS, RECOMMENDED_KEY_BITS = 1024, 2048
SIGNED_HEADERS = ("From", "Subject", "Date", "To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post")
ONE_CLICK = "List-Unsubscribe=One-Click"
SIGNATURE = "DKIM signature"


def check_received_message(raw: bytes, *, find: FindTxtRecords, receiver: str = "") -> Iterator[Finding]:
    """Every finding. ``raw`` is the message's source; ``receiver`` the authserv-id of whoever received it, "" to leave it out.

    Raises NotReady where it is no message.
    """
    raw = raw.lstrip(b"\xef\xbb\xbf\r\n\t ")
    message = _read(raw)
    domain = _find_sender_domain(message)
    yield ok("sender", f"The message is from {domain}.")
    yield _check_one_click(message)
    try:
        yield from _check_signatures(list(read_signatures(raw, find=find)), domain=domain)
    except NoAnswer as fault:
        yield warning(SIGNATURE, str(fault), "Check that this machine can reach DNS, then run this again.")
    if receiver:
        yield from check_receiver_results(message, receiver=receiver)


def _read(raw: bytes) -> Message:
    if len(raw) > MOST_BYTES:
        raise NotReady(
            f"The message has {len(raw):,} bytes; at most {MOST_BYTES:,} are read. Send a proof and use that."
        )
    message = message_from_bytes(raw, policy=policy.compat32)
    if not message.keys():
        raise NotReady(
            "This is no message as it arrived. In the mailbox choose “Show original” or “View source”, and give all of it."
        )
    return message


def _find_sender_domain(message: Message) -> str:
    senders = message.get_all("From", [])
    addresses = [address for _, address in getaddresses([str(sender) for sender in senders])]
    if len(senders) != 1 or len(addresses) != 1:
        raise NotReady(f"The message has {len(senders)} From lines with {len(addresses)} addresses; it must have one.")
    try:
        return to_ascii(addresses[0]).rpartition("@")[2]
    except BadAddress as fault:
        raise NotReady(f"The From line of the message cannot be read: {fault}") from fault


def _check_one_click(message: Message) -> Finding:
    name = "one-click leaving"
    link = "".join(str(message.get("List-Unsubscribe", "")).split())
    said = str(message.get("List-Unsubscribe-Post", "")).strip()
    if "<https://" in link and said == ONE_CLICK:
        return ok(name, "Both lines are there, and the link is HTTPS.")
    if not link or not said:
        do = "Send a proof of an issue and read that: confirmations and mail to staff do not have them."
        return error(name, "The lines List-Unsubscribe and List-Unsubscribe-Post are not both there.", do)
    if said != ONE_CLICK:
        return error(
            name, f"List-Unsubscribe-Post is not “{ONE_CLICK}”.", "Something on the way changed it: ask your provider."
        )
    do = "Put https:// into NEWSLETTER_SITE_URL; look whether your provider put a link of its own in place of ours."
    return error(name, "The link of List-Unsubscribe is not HTTPS.", do)


def _check_signatures(signatures: list[Signature], *, domain: str) -> Iterator[Finding]:
    """At least one that holds must be the sender's own; of these the one with the fewest faults is told of."""
    if not signatures:
        do = "Verify your domain in your provider's pages, so that it signs in your name."
        yield error(SIGNATURE, "The message is not signed.", do)
        return
    own = [signature for signature in signatures if _is_aligned(signature.domain, domain)]
    holding = [signature for signature in own if not signature.fault]
    if not own:
        yield _describe_foreign(signatures, domain=domain)
    elif not holding:
        do = "Look that you pasted the whole source unchanged; then compare the key in DNS with your provider's pages."
        yield error(SIGNATURE, f"The signature of {own[0].domain} does not hold: {own[0].fault}.", do)
    else:
        yield from min((list(_check_signature(signature)) for signature in holding), key=_count_faults)


def _check_signature(signature: Signature) -> Iterator[Finding]:
    yield ok(SIGNATURE, f"{signature.domain} signed it ({signature.selector}), and the signature holds.")
    name = f"signature of {signature.domain}"
    missing = [header for header in SIGNED_HEADERS if header.lower() not in signature.headers]
    if missing:
        do = "Ask your provider to sign these lines: mailbox providers believe one-click leaving only where they are signed."
        yield error(name, f"It does not cover {', '.join(missing)}.", do)
    else:
        yield ok(name, "It covers every line that it must.")
    if signature.covers_part_of_body:
        do = "Ask your provider to leave l= out: with it anybody may add to the mail below your text."
        yield error(name, "It covers only the beginning of the text (l=).", do)
    if signature.bits and signature.bits < RECOMMENDED_KEY_BITS:
        level = error if signature.bits < MIN_KEY_BITS else warning
        do = f"Make a key of {RECOMMENDED_KEY_BITS} bits in your provider's pages and put it into DNS."
        yield level(name, f"Its key has {signature.bits} bits.", do)


def _describe_foreign(signatures: list[Signature], *, domain: str) -> Finding:
    names = ", ".join(sorted({signature.domain for signature in signatures if signature.domain})) or "nobody"
    do = f"Verify {domain} in your provider's pages, so that it signs as {domain} and not only as itself."
    return error(SIGNATURE, f"It is signed by {names}, not by {domain}, so it proves nothing of the sender.", do)


def _is_aligned(signer: str, sender: str) -> bool:
    """The same domain, or one of them is under the other: what DMARC's relaxed alignment takes of related domains."""
    return bool(signer) and (
        signer == sender or signer.endswith(f".{sender}") or (sender.endswith(f".{signer}") and "." in signer)
    )


def _count_faults(findings: Iterable[Finding]) -> tuple[int, int]:
    levels = [finding.level for finding in findings]
    return levels.count("error"), levels.count("warning")
