"""Recognise the program that exported a file by its columns, and what its people are. Any other file is plain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from newsletter.common.messages import Message
from subscribers.importing.reading.column_mapping import guess_mapping, normalise_column_name
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.parsed_rows import RowKind


@dataclass(frozen=True)
class Layout:
    """A known layout. `kind` says who the people of the file are; `explanation` says for staff what the import does with them."""

    slug: str
    name: str
    kind: str
    explanation: str
    columns: Mapping[str, str] = field(default_factory=dict)
    """The fields of columns whose names mean something else in other files."""
    opt_out_columns: tuple[str, ...] = ()
    """The columns, in lower case, without which the file does not say who opted out."""


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
            "The attributes become extra fields, except city, region, country and language: these set "
            "where people live and which language they read. Blocklisted people are suppressed, so they are never "
            "emailed. Disabled people are refused; you can download their lines. The file does not say who "
            "unsubscribed from which list: see the documentation on moving a list."
        ),
    ),
    Layout(
        "ghost",
        "Ghost",
        RowKind.JOIN,
        Message(
            "Members who turned emails off are suppressed on this list, so they are never emailed. A label becomes a topic if a "
            "topic has the same name. Create the topics first."
        ),
    ),
    Layout(
        "keila",
        "Keila",
        RowKind.JOIN,
        Message(
            "The data of a contact becomes extra fields. Contacts who unsubscribed or cannot be reached are suppressed."
        ),
        {"data": "attributes"},
        ("status",),
    ),
    Layout(
        "buttondown",
        "Buttondown",
        RowKind.JOIN,
        Message(
            "Unsubscribed people are suppressed on this list. People who never confirmed, and those whom you or Buttondown "
            "removed, are refused; you can download their lines."
        ),
        {"type": "status", "metadata": "attributes"},
    ),
    Layout(
        "phplist",
        "phpList",
        RowKind.JOIN,
        Message(
            "Blacklisted and disabled people are suppressed, so they are never emailed. People who never confirmed are refused; "
            "you can download their lines."
        ),
    ),
    Layout(
        "civicrm",
        "CiviCRM",
        RowKind.JOIN,
        Message(
            "People who opted out, whom you must not email, or who died are suppressed, and so are addresses on hold, if the "
            "file has columns that say so."
        ),
        opt_out_columns=("do not email", "no bulk emails (user opt out)"),
    ),
    Layout(
        "action_network",
        "Action Network",
        RowKind.JOIN,
        Message(
            "Unsubscribed people are suppressed on this list, and so are bouncing addresses and people who reported spam. A tag "
            "becomes a topic if a topic has the same name. Create the topics first."
        ),
    ),
    Layout(
        "brevo",
        "Brevo",
        RowKind.JOIN,
        Message("Blocklisted people are suppressed, so they are never emailed. An empty cell in OPT_IN says nothing."),
        {"opt_in": "attribute:opt_in"},
    ),
    Layout("ours", Message("an export of this newsletter"), RowKind.JOIN, ""),
)
_OWN_COLUMNS = {
    "ghost": {"email", "subscribed_to_emails"},
    "keila": {"email", "first name", "last name", "data"},
    "buttondown": {"email_address", "creation_date", "type"},
    "phplist": {"email", "is this subscriber blacklisted"},
    "civicrm": {"contact id", "contact type"},
    "action_network": {"can2_subscription_status"},
    "brevo": {"email", "email_blacklisted"},
}
"""The columns by which a program's export is recognised, in lower case."""
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
    return _BY_SLUG[next((slug for slug, columns in _OWN_COLUMNS.items() if columns <= names), "")]


def guess_columns(header: Sequence[str]) -> list[str]:
    """Guess a field for each column, by the program that exported the file."""
    return guess_mapping(header, known_columns=detect_layout(header).columns)


def refuse_non_subscribed_export(layout: Layout, *, file_name: str) -> None:
    """Raise `BadFile` for Mailchimp's file of people who never signed up: it differs from other files only by its name."""
    if layout.slug == "mailchimp" and PurePath(file_name).name.lower().startswith("nonsubscribed"):
        raise BadFile(
            "These are Mailchimp’s non-subscribed contacts. They never asked for a newsletter, so nobody was "
            "imported. Use the file whose name begins with “subscribed”."
        )


def refuse_export_without_opt_outs(header: Sequence[str]) -> None:
    """Raise `BadFile` for an export that does not say who opted out: they would be imported like the others."""
    layout = detect_layout(header)
    missing = set(layout.opt_out_columns) - {normalise_column_name(name) for name in header}
    if missing:
        raise BadFile(
            "This export of %(program)s does not say who opted out, so nobody was imported. Export the people again with: "
            "%(columns)s.",
            program=layout.name,
            columns=", ".join(f"“{name}”" for name in layout.opt_out_columns),
        )


def find_layout(slug: str) -> Layout:
    return _BY_SLUG.get(slug, PLAIN)
