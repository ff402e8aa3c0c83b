"""Fills a list as life does: most were imported, some have not confirmed, some addresses are dead, some people have left.

Uses the services that the product itself uses, so that the receipt of the sample issue shows every kind of exclusion.
"""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from newsletter.demo.people import write_people
from subscribers.consent.signup import request_subscription
from subscribers.importing.writing.import_people import import_people
from subscribers.models import MailingList, Reason
from subscribers.people.lookup import find_person
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list

MIN_REALISTIC = 20
_MAX_PER_REASON = 200


@dataclass(frozen=True)
class FilledList:
    """How many people are on the list in all; ``waiting`` and ``suppressed`` are among them, ``unsubscribed`` are not."""

    subscriber_count: int
    waiting: int = 0
    suppressed: int = 0
    unsubscribed: int = 0


def fill_list(*, mailing_list: MailingList, people: int, by: str, now: datetime) -> FilledList:
    """Puts ``people`` on the list, all of whom may be mailed unless they are suppressed already."""
    _import(_people(people), mailing_list=mailing_list, by=by, now=now)
    return FilledList(subscriber_count=people)


def fill_realistic_list(*, mailing_list: MailingList, people: int, by: str, now: datetime) -> FilledList:
    """Puts ``people`` on the list: from 20 on, some wait, some are suppressed, and others came and have left."""
    if people < MIN_REALISTIC:
        return fill_list(mailing_list=mailing_list, people=people, by=by, now=now)
    waiting, dead, failing = (_share(people, one_in=one_in) for one_in in (40, 100, 200))
    left, complained = _share(people, one_in=50), _share(people, one_in=400)
    rows = _people(people + left + complained)
    asked = rows[len(rows) - waiting :]
    imported = rows[: len(rows) - waiting]
    _import(imported, mailing_list=mailing_list, by=by, now=now)
    for row in asked:
        request_subscription(
            email=row["email"],
            mailing_list=mailing_list,
            wording=f"Yes, send me {mailing_list.public_name}",
            source="sample form",
            now=now,
            name=row["name"],
            language=row["language"],
        )
    latest = reversed(imported)
    for reason, count in ((Reason.HARD, dead), (Reason.SOFT_LIMIT, failing), (Reason.COMPLAINT, complained)):
        for row in islice(latest, count):
            person = find_person(row["email"])
            suppress(address_hash=bytes(person.address_hash), reason=reason, now=now, note="Sample.")
    for row in islice(latest, left):
        unsubscribe_from_list(subscriber=find_person(row["email"]), mailing_list=mailing_list, now=now, source="sample")
    return FilledList(
        subscriber_count=people, waiting=waiting, suppressed=dead + failing, unsubscribed=left + complained
    )


def _share(people: int, *, one_in: int) -> int:
    return min(-(-people // one_in), _MAX_PER_REASON)


def _people(count: int) -> list[dict[str, str]]:
    text = io.StringIO(newline="")
    write_people(text, count=count)
    text.seek(0)
    return list(csv.DictReader(text))


def _import(rows: list[dict[str, str]], *, mailing_list: MailingList, by: str, now: datetime) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    import_people(
        file=io.BytesIO(text.getvalue().encode()),
        mailing_list=mailing_list,
        basis="consent",
        evidence="Sample people of the demonstration; nobody real.",
        by=by,
        now=now,
    )
