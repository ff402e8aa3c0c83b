"""May a story be shown at a moment by a channel? Pure arithmetic over what its row says about the person behind it.

A consent holds through its last day, in UTC. In doubt the answer is no.
"""

from datetime import date, datetime
from typing import Any

from newsletter.common.messages import Message
from newsletter.models.content import Channel, ConsentGiver, Identity
from newsletter.models.story_origins import GoneCode

ConsentRecord = dict[str, Any]
WHY_GONE = {
    GoneCode.REMOVED.value: Message("removed at its source"),
    GoneCode.PRIVATE.value: Message("not public at its source"),
    GoneCode.PROTECTED.value: Message("protected by a password at its source"),
}
"""In English whoever reads it: these words are kept with issues."""
EMAIL, ARCHIVE = Channel.EMAIL.value, Channel.ARCHIVE.value
_NAMELESS = (Identity.PSEUDONYM, Identity.ANONYMOUS)


def make_consent_record(story: Any) -> ConsentRecord:
    """What the story's row says, as plain data that can be kept with an issue's content."""
    gone = {"gone": story.gone_code} if story.gone_at is not None else {}
    return {
        **gone,
        "needed": story.consent_needed or story.about_minor,
        "channels": sorted(story.consent_channels),
        "identity": story.consent_identity,
        "given_by": story.consent_given_by,
        "given_on": _iso(story.consent_given_on),
        "expires_on": _iso(story.consent_expires_on),
        "form_holder": bool(story.consent_form_holder),
        "minor": story.about_minor,
        "embargo_until": _iso(story.embargo_until),
        "withdrawn": story.withdrawn_at is not None,
    }


def find_display_restriction(care: ConsentRecord, *, channel: str, at: datetime, required: bool = False) -> str:
    """Why the story may not be shown, as words that follow “the story”; an empty text where it may.

    ``required``: the publication shows no story without a consent, whatever the story says of itself.
    """
    if care["withdrawn"]:
        return Message("was withdrawn")
    if care.get("gone"):
        return Message("is gone: %(why_gone)s", why_gone=WHY_GONE[care["gone"]])
    if care["embargo_until"] and at < datetime.fromisoformat(care["embargo_until"]):
        until = datetime.fromisoformat(care["embargo_until"])
        return Message("is under embargo until %(until)s UTC", until=until)
    if not (care["needed"] or required):
        return ""
    return (
        _find_missing_detail(care)
        or _find_date_restriction(care, at=at)
        or _find_scope_restriction(care, channel=channel)
    )


def _find_missing_detail(care: ConsentRecord) -> str:
    missing = [
        words
        for name, words in (
            ("given_by", Message("who agreed")),
            ("given_on", Message("when they agreed")),
            ("form_holder", Message("who holds the signed form")),
        )
        if not care[name]
    ]
    if len(missing) == 3:
        return Message("has no recorded consent")
    return (
        Message("has a consent that is not complete: %(missing)s is missing", missing=" and ".join(missing))
        if missing
        else ""
    )


def _find_date_restriction(care: ConsentRecord, *, at: datetime) -> str:
    given, expires = date.fromisoformat(care["given_on"]), care["expires_on"]
    if at.date() < given:
        return Message("has a consent that begins only on %(given)s", given=given)
    if expires and at.date() > date.fromisoformat(expires):
        return Message("has a consent that ran out on %(date)s", date=date.fromisoformat(expires))
    return ""


def _find_scope_restriction(care: ConsentRecord, *, channel: str) -> str:
    if channel not in care["channels"]:
        return Message(
            "has a consent that does not cover this channel (%(label)s)", label=Channel(channel).label.lower()
        )
    if care["minor"] and care["given_by"] != ConsentGiver.GUARDIAN:
        return Message("is about a person under 18, and no parent or guardian agreed")
    if care["minor"] and care["identity"] not in _NAMELESS:
        return Message("is about a person under 18, who must be shown by a pseudonym or not be named at all")
    return ""


def _iso(moment: Any) -> str:
    return moment.isoformat() if moment else ""
