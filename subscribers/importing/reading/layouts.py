"""Recognise the program that exported a file by its columns, and what its people are. Any other file is plain."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from newsletter.common.messages import Message
from subscribers.importing.reading.column_mapping import normalise_column_name
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.parsed_rows import RowKind


@dataclass(frozen=True)
class Layout:
    """A known layout. `kind` is what the file's people are; `explanation` tells staff what the import does with them."""

    slug: str
    name: str
    kind: str
    explanation: str


PLAIN = Layout("", "", RowKind.JOIN, "")
_MAILCHIMP = {"member_rating", "optin_time", "leid", "euid", "confirm_time", "last_changed"}
_TAGS = Message("A tag becomes a topic if a topic has the same name. Create the topics first.")
LAYOUTS = (
    Layout(
        "mailchimp_left",
        Message("Mailchimp, unsubscribed contacts"),
        RowKind.UNSUBSCRIBED_ALL,
        Message(
            "These people unsubscribed. They are not imported; their addresses are suppressed, so they are "
            "never emailed."
        ),
    ),
    Layout(
        "mailchimp_cleaned",
        Message("Mailchimp, cleaned contacts"),
        RowKind.BOUNCED,
        Message("These addresses bounced. They are not imported; they are suppressed as addresses that do not exist."),
    ),
    Layout("mailchimp", Message("Mailchimp, subscribed contacts"), RowKind.JOIN, _TAGS),
    Layout(
        "listmonk",
        "listmonk",
        RowKind.JOIN,
        Message(
            "The attributes become custom attributes, except city, region, country and language: these set "
            "where people live and which language they read. Blocklisted people are suppressed, so they are never "
            "emailed. Disabled people are refused; you can download their lines. The file does not say who "
            "unsubscribed from which list: see the documentation on moving a list."
        ),
    ),
    Layout("ours", Message("an export of this newsletter"), RowKind.JOIN, ""),
)
_BY_SLUG = {layout.slug: layout for layout in (PLAIN, *LAYOUTS)}


def detect_layout(header: Sequence[str]) -> Layout:
    """Return the layout with these columns."""
    names = {normalise_column_name(name) for name in header}
    if "email address" in names and len(names & _MAILCHIMP) >= 2:
        if names & {"unsub_time", "unsub_reason"}:
            return _BY_SLUG["mailchimp_left"]
        return _BY_SLUG["mailchimp_cleaned" if "clean_time" in names else "mailchimp"]
    if {"email", "attributes"} <= names and names & {"uuid", "status"}:
        return _BY_SLUG["listmonk"]
    if {"email", "topics", "giving", "lists"} <= names:
        return _BY_SLUG["ours"]
    return PLAIN


def refuse_non_subscribed_export(layout: Layout, *, file_name: str) -> None:
    """Raise `BadFile` for Mailchimp's file of people who never signed up: only its name tells it from the others."""
    if layout.slug == "mailchimp" and PurePath(file_name).name.lower().startswith("nonsubscribed"):
        raise BadFile(
            "These are Mailchimp's non-subscribed contacts. They never asked for a newsletter, so nobody was "
            "imported. Use the file whose name begins with “subscribed”."
        )


def find_layout(slug: str) -> Layout:
    return _BY_SLUG.get(slug, PLAIN)
