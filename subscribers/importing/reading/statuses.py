"""Read the status column of another program: subscribed, unsubscribed, unreachable, or never signed up."""

from newsletter.common.messages import Message
from subscribers.importing.reading.layouts import BOUNCED, COMPLAINED, JOIN, LEFT_ALL, LEFT_LIST
from subscribers.importing.reading.parsed_rows import RefusalKind

_STATUS = {
    **dict.fromkeys(("", "subscribed", "enabled", "active", "confirmed", "opted in", "yes"), JOIN),
    **dict.fromkeys(("unsubscribed", "unsubscribe", "opted out", "left"), LEFT_LIST),
    **dict.fromkeys(("blocklisted", "blacklisted", "blocked", "left everything", "suppressed"), LEFT_ALL),
    **dict.fromkeys(("cleaned", "bounced", "bounce", "hard bounce", "hard bounced", "invalid"), BOUNCED),
    **dict.fromkeys(("complained", "complaint", "spam", "reported as spam", "abuse"), COMPLAINED),
}
_NOT_ASKED = {"pending", "unconfirmed", "non-subscribed", "nonsubscribed", "transactional", "disabled", "archived"}
_NOT_ASKED |= {"deleted", "inactive", "never subscribed", "no"}
_SPAM_WORDS = ("spam", "abuse", "complain")


def read_status(text: str) -> tuple[str, RefusalKind | None]:
    """Return what happens to somebody with this status, or why their line is refused."""
    status = text.strip().lower()
    kind = _STATUS.get(status)
    if kind is not None:
        return kind, None
    return "", RefusalKind.NOT_SUBSCRIBED if status in _NOT_ASKED else RefusalKind.UNKNOWN_STATUS


def explain_status(text: str, refused: RefusalKind) -> str:
    """Return the refusal as a message."""
    status = text.strip().lower()[:40]
    if refused is RefusalKind.NOT_SUBSCRIBED:
        return Message(
            "The status is “%(status)s”: this person was not mailed there, and nobody asked for it here.", status=status
        )
    return Message("The status “%(status)s” is not known. Write subscribed, unsubscribed or bounced.", status=status)


def apply_unsubscribe_reason(kind: str, because: str) -> str:
    """Return a complaint if the reason for unsubscribing was spam."""
    if kind in (LEFT_LIST, LEFT_ALL) and any(word in because.lower() for word in _SPAM_WORDS):
        return COMPLAINED
    return kind
