"""Recognise the program that exported a file by its columns, and what its people are. Any other file is plain."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from newsletter.common.messages import Message
from subscribers.importing.reading.column_mapping import normalise_column_name
from subscribers.importing.reading.errors import BadFile

JOIN, LEFT_LIST, LEFT_ALL, BOUNCED, COMPLAINED = "join", "left_list", "left_all", "bounced", "complained"
ELSEWHERE = "elsewhere"
"""Somebody whom the file has on other lists only: nothing becomes of their line."""


@dataclass(frozen=True)
class Layout:
    """A known layout. `kind` is what the file's people are; `words` explain to a person what was recognised."""

    slug: str
    name: str
    kind: str
    words: str


PLAIN = Layout("", "", JOIN, "")
_MAILCHIMP = {"member_rating", "optin_time", "leid", "euid", "confirm_time", "last_changed"}
_TAGS = Message("Tags become topics where a topic has the same name; make those topics first.")
LAYOUTS = (
    Layout(
        "mailchimp_left",
        Message("Mailchimp, unsubscribed contacts"),
        LEFT_ALL,
        Message(
            "These people left. They are not brought in: their addresses are marked, so that none of them "
            "is ever mailed."
        ),
    ),
    Layout(
        "mailchimp_cleaned",
        Message("Mailchimp, cleaned contacts"),
        BOUNCED,
        Message(
            "Mail to these addresses came back. They are not brought in: they are marked as addresses that "
            "do not exist."
        ),
    ),
    Layout("mailchimp", Message("Mailchimp, subscribed contacts"), JOIN, _TAGS),
    Layout(
        "listmonk",
        "listmonk",
        JOIN,
        Message(
            "The attributes become custom attributes; of those, city, region, country and language say "
            "where people live and what they read. Blocklisted people are marked so that they are never "
            "mailed; disabled ones are refused, with their lines kept. The file does not say who left which "
            "list: see the documentation on moving a list."
        ),
    ),
    Layout("ours", Message("an export of this newsletter"), JOIN, ""),
)
_BY_SLUG = {layout.slug: layout for layout in (PLAIN, *LAYOUTS)}


def detect_layout(header: Sequence[str]) -> Layout:
    """Return the layout with these columns."""
    names = {normalise_column_name(name) for name in header}
    if "email address" in names and len(names & _MAILCHIMP) >= 2:
        left = bool(names & {"unsub_time", "unsub_reason"})
        return _BY_SLUG["mailchimp_left" if left else "mailchimp_cleaned" if "clean_time" in names else "mailchimp"]
    if {"email", "attributes"} <= names and names & {"uuid", "status"}:
        return _BY_SLUG["listmonk"]
    if {"email", "topics", "giving", "lists"} <= names:
        return _BY_SLUG["ours"]
    return PLAIN


def refuse_non_subscribed_export(layout: Layout, *, file_name: str) -> None:
    """Raise `BadFile` for Mailchimp's file of people who never signed up: only its name tells it from the others."""
    if layout.slug == "mailchimp" and PurePath(file_name).name.lower().startswith("nonsubscribed"):
        raise BadFile(
            "These are Mailchimp's non-subscribed contacts: they never asked for a newsletter, so nobody is "
            "brought in. Use the file whose name begins with “subscribed”."
        )


def find_layout(slug: str) -> Layout:
    return _BY_SLUG.get(slug, PLAIN)
