"""Map columns of a file to fields: the possible fields, and the likely field by the column's name. A person decides."""

import hashlib
import re
from collections.abc import Mapping, Sequence

from newsletter.common.messages import Message
from newsletter.common.text import clean_line, fold_name, unescape_csv_cell
from subscribers.attribute_rules import attribute_key
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.subscription_state import AGREED, ON_HOLD, OPTED_OUT, SUBSCRIBED, YES_NO_FIELDS
from subscribers.importing.reading.translated_columns import PARTS_OF_NAMES, TRANSLATED_IRRELEVANT, TRANSLATED_NAMES
from subscribers.importing.reading.unclear_state import may_say_unsubscribed

NOT_IMPORTED = ""
ATTRIBUTE = "attribute:"
_CHOSEN = f"{ATTRIBUTE}="
EACH_LIST = "each_list"
FIELDS = {
    "email": Message("Email address"),
    "name": Message("Full name"),
    "first_name": Message("First name"),
    "last_name": Message("Last name"),
    "country": Message("Country"),
    "region": Message("Region, state or county"),
    "city": Message("Town or city"),
    "postcode": Message("Postcode (to find the town; not stored)"),
    "language": Message("Language (en, es …)"),
    "topics": Message("Topics"),
    "giving": Message("Giving: none, donor or monthly"),
    "timezone": Message("Time zone, such as Europe/London"),
    "source": Message("Where they came from"),
    "asked_on": Message("Sign-up date"),
    "expires_on": Message("Expiry date of implied consent"),
    "radius_km": Message("Distance for events, in km"),
    "mail_frequency": Message("How often: every, monthly or events"),
    "paused_until": Message("End of their pause"),
    EACH_LIST: Message("Lists and terms of an export"),
    "status": Message("Status: subscribed, unsubscribed, bounced …"),
    SUBSCRIBED: Message("Subscribed: yes or no"),
    AGREED: Message("Agreed or confirmed: yes or no"),
    OPTED_OUT: Message("Opted out or blocked: yes or no"),
    ON_HOLD: Message("Bounced or on hold: yes or no"),
    "left_on": Message("Date of unsubscribing"),
    "bounced_on": Message("Date of bouncing"),
    "left_because": Message("Reason for unsubscribing"),
    "attributes": Message("Several values as JSON"),
}
"""Labels of the targets that a column can have. The others are "" (left out) and "attribute:<key>"."""
REPEATABLE_TARGETS = {"topics", "asked_on", "left_on", "bounced_on", *YES_NO_FIELDS}
"""Targets that several columns may have: topics add up, the first date that is given counts, and any “no” wins."""

_ALIASES = {
    "email": "e-mail, email address, e-mail address, mail, emailaddress, e-mail 1 - value",
    "name": "full name, fullname, display name, contact name",
    "first_name": "first name, firstname, fname, given name, forename",
    "last_name": "last name, lastname, lname, surname, family name",
    "country": "cc, country code, mailing country, address 1 - country",
    "region": "state, province, county, state/province, can2_user_state, mailing state, "
    "mailing state/province, address 1 - region",
    "city": "town, city/town, locality, can2_user_city, mailing city, address 1 - city",
    "postcode": "post code, postal code, zip, zip code, zipcode, zip/postal code, "
    "mailing zip/postal code, mailing postal code, address 1 - postal code",
    "language": "lang, locale, preferred language",
    "topics": "tags, interests, topic, tag, labels, can2_user_tags",
    "giving": "giving status",
    "timezone": "time zone, tz",
    "source": "origin, signup source, sign-up source, lead source",
    "asked_on": "optin_time, confirm_time, signed up, signed up on, subscribed at, opt-in date, optin date, created_at, "
    "date added, joined, joined on, signup date, sign-up date, creation_date, "
    "entered, added_time, created date, date created, date of signup, registration date, registered on, subscription date, "
    "subscribed on, date subscribed, date joined, consent date, date of consent",
    "status": "subscription status, email marketing, marketing status, can2_subscription_status, email status, "
    "email marketing consent, subscriber status",
    SUBSCRIBED: "subscribed_to_emails, subscribed to emails, is_subscribed, email subscribed",
    AGREED: "is this subscriber confirmed, accepts marketing, accepts email marketing, marketing consent, "
    "email consent, opt in, opt-in, optin, email opt in, opted in, opted_in",
    OPTED_OUT: "no bulk emails (user opt out), is_opt_out, do not email, do_not_email, do not contact, dnc, opt out, opt-out, "
    "optout, opt_out, opted out, opted_out, email opt out, has opted out of email, unsubscribed, is_unsubscribed, "
    "global unsubscribe, blacklisted, blocklisted, is this subscriber blacklisted, is this account disabled?, suppressed, "
    "deceased, is deceased, opted out of all email, unsubscribed from all email, email_disabled, "
    "email_blacklisted, emailblacklisted, email blocklisted",
    ON_HOLD: "on hold, on_hold, email on hold, bouncing, hard bounced",
    "expires_on": "expires, expiry, expiry date, consent expires, implied consent until",
    "left_on": "unsub_time, unsubscribed at, unsubscribed on, unsubscribed date, unsubscribe date, date unsubscribed, "
    "unsubscription date, opt-out date, opted out on, date opted out",
    "bounced_on": "clean_time, bounced at",
    "left_because": "unsub_reason",
}
_SEPARATORS = re.compile(r"[\s_-]+")


def _fold(name: str) -> str:
    """Return a normalised name as names are compared: without accents, and with one space for white space, _ and -."""
    return _SEPARATORS.sub(" ", fold_name(name)).strip()


_TARGET_BY_NAME = {
    **{_fold(name): field for name, field in TRANSLATED_NAMES.items()},
    **{_fold(word): field for field, words in _ALIASES.items() for word in words.split(",")},
    **{_fold(field): field for field in FIELDS},
}
_PARTS_OF_NAMES = {
    _fold(name): (part, frozenset(map(_fold, others))) for name, (part, others) in PARTS_OF_NAMES.items()
}
REFUSED_COLUMNS = (Message("Row in the file"), Message("Why it was refused"), Message("Refusal code"))
"""The columns that a file of refused lines adds before the original ones."""
_REASON_COLUMN, _CODE_COLUMN = REFUSED_COLUMNS[1].lower(), REFUSED_COLUMNS[2].lower()
_ADDED_COLUMNS = {*(name.lower() for name in REFUSED_COLUMNS), "line in the file"}
"""The names in lower case, with the one that earlier versions wrote."""
_ADDRESS_PARTS = ("formatted", "street", "po box", "extended address")
_IRRELEVANT_NAMES = {
    *("lists", "uuid", "id", "updated_at"),
    *("address", "street", "address line 1", "address line 2", "phone", "phone number", "mobile", "birthday"),
    *("date of birth", "dob", "notes", "member_rating", "optin_ip", "confirm_ip", "ip", "ip address", "latitude"),
    *("longitude", "gmtoff", "dstoff", "last_changed", "leid", "euid", "unsub_campaign_title", "unsub_campaign_id"),
    *(
        "note",
        "password",
        "complimentary_plan",
        "stripe_customer_id",
        "deleted_at",
        "tiers",
        "external id",
    ),  # Ghost, Keila
    *("comment", "comments", "remark", "remarks", "internal notes", "private notes", "tel"),
    *("did this subscriber manually confirm", "number of bounces", "last modified", "rss frequency"),  # phpList
    *("send this subscriber html emails", "additional data", "foreign key", "list membership", "unique id"),
    *(
        "contact id",
        "contact type",
        "contact subtype",
        "do not phone",
        "do not mail",
        "do not sms",
        "do not trade",
    ),  # CiviCRM
    *("street address", "supplemental address 1", "external identifier", "birth date", "current employer"),
    *("can2_user_address", "can2_phone", "can2_sms_status"),  # Action Network
    *("sms", "whatsapp", "landline_number", "sms_blacklisted", "modified_time"),  # Brevo
    *("mailing street", "mobile phone", "home phone", "other phone", "fax", "do not call", "birthdate"),  # Salesforce
    *("last modified date", "middle name", "name prefix", "name suffix", "nickname", "file as", "photo"),
    *("phonetic first name", "phonetic middle name", "phonetic last name"),  # Google Contacts
    *(f"{kind} {number} - label" for kind in ("e-mail", "phone", "address", "website") for number in range(1, 6)),
    *(f"{kind} {number} - value" for kind in ("e-mail", "phone", "website") for number in range(1, 6)),
    *(f"address {number} - {part}" for part in _ADDRESS_PARTS for number in range(1, 6)),
    *(f"address {number} - {part}" for part in ("city", "region", "postal code", "country") for number in range(2, 6)),
    *("unsub_reason_other", "clean_campaign_title", "clean_campaign_id"),
    *_ADDED_COLUMNS,
}
_IRRELEVANT_COLUMNS = frozenset(map(_fold, (*_IRRELEVANT_NAMES, *TRANSLATED_IRRELEVANT)))
_UNREPORTED_COLUMNS = {"lists", "uuid", "id", *_ADDED_COLUMNS}


def normalise_column_name(text: str) -> str:
    """Return a column's name as it is compared and shown: one clean lower-case line."""
    return clean_line(unescape_csv_cell(text), max_length=100).lower()


def guess_target(name: str) -> str:
    """Guess the field of a column. An unknown column becomes a custom attribute, except columns on the ignore list."""
    plain = normalise_column_name(name)
    if plain.startswith(ATTRIBUTE) and attribute_key(plain.removeprefix(ATTRIBUTE)):
        return f"{ATTRIBUTE}{attribute_key(plain.removeprefix(ATTRIBUTE))}"
    folded = _fold(plain)
    if folded in _TARGET_BY_NAME:
        return _TARGET_BY_NAME[folded]
    if folded in _IRRELEVANT_COLUMNS or not attribute_key(plain):
        return NOT_IMPORTED
    return f"{ATTRIBUTE}{attribute_key(plain)}"


def guess_mapping(header: Sequence[str], *, known_columns: Mapping[str, str] | None = None) -> list[str]:
    """Guess a field for each column. `check_mapping` refuses duplicates, because a person has to decide.

    ``known_columns`` has the fields of columns whose names mean something else in other files.
    """
    mapping: list[str] = []
    for name in header:
        target = (known_columns or {}).get(normalise_column_name(name)) or guess_target(name)
        mapping.append(NOT_IMPORTED if target in mapping and _may_be_dropped(target) else target)
    _split_names(mapping, header=header)
    return mapping


def _may_be_dropped(target: str) -> bool:
    """Return True for an attribute that says nothing about mail: of two columns with its name, the first one is enough."""
    return target.startswith(ATTRIBUTE) and not may_say_unsubscribed(target.removeprefix(ATTRIBUTE))


def _split_names(mapping: list[str], *, header: Sequence[str]) -> None:
    """Make “Nombre” the first name beside “Apellidos”, and “Name” the last name beside “Vorname”."""
    names = [_fold(normalise_column_name(name)) for name in header]
    for at, name in enumerate(names):
        part, others = _PARTS_OF_NAMES.get(name, ("", frozenset()))
        if mapping[at] == "name" and part not in mapping and not others.isdisjoint(names):
            mapping[at] = part


def check_mapping(mapping: Sequence[str], *, header: Sequence[str]) -> None:
    """Raise `BadFile` unless each column has a field and exactly one is the address."""
    if len(mapping) != len(header):
        raise BadFile("The file’s columns changed since you mapped them. Map the columns again.")
    mapping = list(map(hide_choice, mapping))
    for target in mapping:
        key = target.removeprefix(ATTRIBUTE)
        if target not in FIELDS and target != NOT_IMPORTED and (key == target or attribute_key(key) != key or not key):
            raise BadFile(
                "“%(target)s” is not a field. Use one of %(fields)s or attribute:NAME.",
                target=target,
                fields=", ".join(FIELDS),
            )
    if "email" not in mapping:
        raise BadFile(
            "No column is called “email”. The columns are: %(header)s. Choose the column with the addresses, or rename "
            "it.",
            header=", ".join(header)[:300],
        )
    twice = next(
        (target for target in mapping if target and target not in REPEATABLE_TARGETS and mapping.count(target) > 1), ""
    )
    if twice:
        columns = ", ".join(f"“{name}”" for name, target in zip(header, mapping, strict=True) if target == twice)
        raise BadFile(
            "%(fields)s is there more than once: %(columns)s. Leave one of them out, remove or rename it.",
            fields=FIELDS.get(twice, twice.removeprefix(ATTRIBUTE)),
            columns=columns,
        )


def list_unused_columns(header: Sequence[str], mapping: Sequence[str]) -> list[str]:
    """Return the columns that are left out, except those on the ignore list."""
    names = [
        normalise_column_name(name) for name, target in zip(header, mapping, strict=True) if target == NOT_IMPORTED
    ]
    return [name for name in names if name and name not in _UNREPORTED_COLUMNS]


def header_key(header: Sequence[str]) -> str:
    """Return 64 hexadecimal characters that files with the same columns share, files of refused lines too."""
    return hashlib.sha256(
        "\x1f".join(normalise_column_name(name) for name in header if is_file_column(name)).encode()
    ).hexdigest()


def reuse_mapping(header: Sequence[str], *, before: Sequence[str], mapping: Sequence[str]) -> list[str]:
    """Apply the mapping of the columns ``before`` to a header with the same key."""
    targets = iter([target for name, target in zip(before, mapping, strict=True) if is_file_column(name)])
    return [next(targets) if is_file_column(name) else NOT_IMPORTED for name in header]


def mark_choice(target: str) -> str:
    """Return the target as chosen by a person, if it is an attribute that may say who unsubscribed: it then refuses no line."""
    plain = hide_choice(target)
    key = plain.removeprefix(ATTRIBUTE)
    return f"{_CHOSEN}{key}" if plain != key and may_say_unsubscribed(key) else plain


def hide_choice(target: str) -> str:
    """Return a target as people write it, without the mark of `mark_choice`."""
    return f"{ATTRIBUTE}{target.removeprefix(_CHOSEN)}" if target.startswith(_CHOSEN) else target


def find_chosen_attributes(header: Sequence[str], mapping: Sequence[str]) -> set[int]:
    """Return the positions of columns that a person made attributes, or that are called “attribute:NAME” as in our exports."""
    return {
        at
        for at, (name, target) in enumerate(zip(header, mapping, strict=True))
        if target.startswith(_CHOSEN) or normalise_column_name(name).startswith(ATTRIBUTE)
    }


def may_hold_part_of_name(header: Sequence[str], mapping: Sequence[str]) -> bool:
    """Return True if the full name is in a column such as “Name”, which may hold only one part.

    A display name never does, and no name in a file that has columns for both parts.
    """
    return not {"first_name", "last_name"} <= set(mapping) and any(
        target == "name" and _fold(normalise_column_name(name)) in _PARTS_OF_NAMES
        for name, target in zip(header, mapping, strict=True)
    )


def find_code_column(header: Sequence[str]) -> int | None:
    """Return the position of the column of codes in a file of refused lines, or None."""
    names = list(map(normalise_column_name, header))
    return names.index(_CODE_COLUMN) if _CODE_COLUMN in names else None


def has_reasons_without_codes(header: Sequence[str]) -> bool:
    """Return True for a file of refused lines without the column of codes: a person deleted it, or the file is older."""
    return find_code_column(header) is None and _REASON_COLUMN in map(normalise_column_name, header)


def is_file_column(name: str) -> bool:
    """Return True for the file's own columns, False for those that a file of refused lines adds."""
    return normalise_column_name(name) not in _ADDED_COLUMNS
