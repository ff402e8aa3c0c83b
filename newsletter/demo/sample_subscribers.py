"""Fill a list by the product's own services, so that the sample issue's receipt shows every kind of exclusion.

Most people are imported. Some have not confirmed, some are suppressed, and some have unsubscribed.
"""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from newsletter.demo.subscribers_csv import write_subscribers
from subscribers.consent.signup import SignupRequest, request_subscription
from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.models import MailingList, Reason
from subscribers.people.lookup import find_person
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list

MIN_REALISTIC = 20
_MAX_PER_REASON = 200


@dataclass(frozen=True)
class FilledList:
    """The numbers of people on the list; ``waiting`` and ``suppressed`` are among them, ``unsubscribed`` are not."""

    subscriber_count: int
    waiting: int = 0
    suppressed: int = 0
    unsubscribed: int = 0


def fill_list(*, mailing_list: MailingList, people: int, by: str, now: datetime) -> FilledList:
    """Import ``people`` into the list. All of them may be mailed unless they are suppressed already."""
    _import_rows(_make_rows(people), mailing_list=mailing_list, by=by, now=now)
    return FilledList(subscriber_count=people)


def fill_realistic_list(*, mailing_list: MailingList, people: int, by: str, now: datetime) -> FilledList:
    """Put ``people`` on the list. From 20 on, some wait, some are suppressed, and more have unsubscribed."""
    if people < MIN_REALISTIC:
        return fill_list(mailing_list=mailing_list, people=people, by=by, now=now)
    waiting, hard_bounced, soft_bounced = (_share(people, one_in=one_in) for one_in in (40, 100, 200))
    unsubscribed, complained = _share(people, one_in=50), _share(people, one_in=400)
    rows = _make_rows(people + unsubscribed + complained)
    imported, unconfirmed = rows[:-waiting], rows[-waiting:]
    _import_rows(imported, mailing_list=mailing_list, by=by, now=now)
    for row in unconfirmed:
        request_subscription(
            SignupRequest(
                email=row["email"],
                mailing_list=mailing_list,
                wording=f"Yes, send me {mailing_list.public_name}",
                source="sample form",
                name=row["name"],
                language=row["language"],
            ),
            now=now,
        )
    newest_first = reversed(imported)
    for reason, count in (
        (Reason.HARD, hard_bounced),
        (Reason.SOFT_LIMIT, soft_bounced),
        (Reason.COMPLAINT, complained),
    ):
        for row in islice(newest_first, count):
            person = find_person(row["email"])
            suppress(address_hash=bytes(person.address_hash), reason=reason, now=now, note="Sample.")
    for row in islice(newest_first, unsubscribed):
        unsubscribe_from_list(subscriber=find_person(row["email"]), mailing_list=mailing_list, now=now, source="sample")
    return FilledList(
        subscriber_count=people,
        waiting=waiting,
        suppressed=hard_bounced + soft_bounced,
        unsubscribed=unsubscribed + complained,
    )


def _share(people: int, *, one_in: int) -> int:
    return min(-(-people // one_in), _MAX_PER_REASON)


def _make_rows(count: int) -> list[dict[str, str]]:
    text = io.StringIO(newline="")
    write_subscribers(text, count=count)
    text.seek(0)
    return list(csv.DictReader(text))


def _import_rows(rows: list[dict[str, str]], *, mailing_list: MailingList, by: str, now: datetime) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    import_people(
        PeopleFile(content=io.BytesIO(text.getvalue().encode())),
        mailing_list=mailing_list,
        terms=ConsentTerms(basis="consent", evidence="Sample people of the demonstration; nobody real."),
        by=by,
        clock=lambda: now,
    )
