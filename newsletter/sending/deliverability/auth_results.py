"""What the receiving server found of an arrived message (RFC 8601): only the word of the receiver that was named counts (M9)."""

from collections.abc import Iterator
from email.message import Message

import authres

from newsletter.sending.deliverability.findings import Finding, error, ok, warning

CHECK = "what the receiver found"
_METHODS = ("dkim", "spf", "dmarc")


def check_receiver_results(message: Message, *, receiver: str) -> Iterator[Finding]:
    """``receiver`` is its authserv-id. Its topmost field speaks; others, and any below it, anybody could have written."""
    fields = [_parse(str(value)) for value in message.get_all("Authentication-Results", [])]
    said = next((one for one in fields if one is not None and _is_from(one, receiver)), None)
    if said is None:
        others = sorted({str(one.authserv_id) for one in fields if one is not None and one.authserv_id})
        found = (
            f" Fields of {', '.join(others)} are there; anybody can write such a field, so they do not count."
            if others
            else ""
        )
        do = (
            "Look into the raw message for the name after “Authentication-Results:”, and whether you received it there."
        )
        yield error(CHECK, f"Not verified: no field of {receiver}.{found}", do)
        return
    results = {str(one.method).lower(): str(one.result).lower() for one in reversed(said.results)}
    for method in _METHODS:
        yield _describe_result(method, results.get(method, ""), receiver=receiver)


def _describe_result(method: str, result: str, *, receiver: str) -> Finding:
    name = f"{method} at {receiver}"
    if result == "pass":
        return ok(name, "It passed.")
    if not result:
        return warning(
            name, f"{receiver} says nothing of it.", "Send the proof to a mailbox of a large provider as well."
        )
    level = error if method == "dmarc" or result in ("fail", "permerror") else warning
    return level(name, f"It did not pass: {result}.", "Repair the domain's records as your provider's pages say.")


def _is_from(field: authres.AuthenticationResultsHeader, receiver: str) -> bool:
    return str(field.authserv_id or "").lower() == receiver.lower()


def _parse(value: str) -> authres.AuthenticationResultsHeader | None:
    try:
        return authres.AuthenticationResultsHeader.parse_value(value)
    except authres.AuthResError:
        return None
