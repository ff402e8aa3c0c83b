"""Builders of publications, stories, events and audiences, for tests that assemble and send."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5
from zlib import crc32

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Max

from newsletter.issues.approval import approve
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.models import Appeal, Brand, EventNotice, Issue, Publication, Source, Story
from subscribers.identity import identify
from subscribers.models import MailingList, Subscriber, SubscriberLocation, Subscription
from tests.support.migrated_database import find_migrated_sqlite
from tests.support.repeated_rows import repeat_rows

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
DUE = "2026-03-05T09:00"
LONDON = {"country": "GB", "region": "GB-ENG", "town": "London", "latitude": 51.51, "longitude": -0.13}
HOUSTON = {"country": "US", "region": "US-TX", "town": "Houston", "latitude": 29.76, "longitude": -95.37}

approve_issue = repeat_rows(approve.approve_issue)
"""`approve_issue` of the product, for tests of what follows. It writes again what it wrote for the same rows."""


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one folder for all processes of this run of the tests."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def migrated_sqlite(shared_folder: Path) -> Path:
    """Return an SQLite file with all tables and no people, to copy."""
    return find_migrated_sqlite(shared_folder)


@pytest.fixture
def publication(db: None) -> Publication:
    """A weekly publication that a person must approve, with nobody on its list yet."""
    return make_publication()


def make_publication(**changes: Any) -> Publication:
    slug = changes.pop("slug", "weekly")
    brand, _ = Brand.objects.get_or_create(
        slug="default",
        defaults={"name": "Open Door", "postal_address": "1 Example Street, Leeds", "website": "https://example.org/"},
    )
    mailing_list, _ = MailingList.objects.get_or_create(
        slug=slug, defaults={"name": "The weekly letter", "public_id": make_uuid(slug).hex[:16]}
    )
    made = Publication.objects.create(
        slug=slug,
        name=changes.pop("name", "The weekly letter"),
        brand=brand,
        mailing_list=mailing_list,
        from_name="Open Door",
        from_email="news@news.example.org",
        reply_to=changes.pop("reply_to", "hello@example.org"),
        schedule="0 9 * * thu",
        zone=changes.pop("zone", "Europe/London"),
        **changes,
    )
    Publication.objects.filter(pk=made.pk).update(made_at=NOW - timedelta(days=1))
    made.refresh_from_db()
    return made


def make_source(name: str = "Stories", **changes: Any) -> Source:
    return Source.objects.get_or_create(
        name=name,
        defaults={
            "kind": "feed",
            "url": "https://example.org/feed.xml",
            "looked_at": NOW - timedelta(hours=1),
            **changes,
        },
    )[0]


def make_story(title: str, *, days_old: float = 1, **changes: Any) -> Story:
    moment = NOW - timedelta(days=days_old)
    fields = {
        "source": make_source(),
        "external_id": title[:100],
        "url": f"https://example.org/stories/{crc32(title.encode()) % 10**8}/",
        "title": title,
        "teaser": f"What happened, in a sentence or two, about: {title[:60]}.",
        "language": "en",
        "published_at": moment,
        "seen_at": moment,
        **changes,
    }
    return Story.objects.create(**fields)


def make_event(
    title: str, *, days_ahead: float = 7, where: dict[str, Any] | None = None, **changes: Any
) -> EventNotice:
    place = where or {}
    fields = {
        "source": make_source(),
        "external_id": title[:100],
        "title": title,
        "url": "https://example.org/events/",
        "starts_at": NOW + timedelta(days=days_ahead),
        "zone": "Europe/London",
        "place_text": place.get("town", ""),
        "seen_at": NOW - timedelta(days=1),
        **place,
        **changes,
    }
    return EventNotice.objects.create(**fields)


def make_appeal(slug: str = "give", **changes: Any) -> Appeal:
    return Appeal.objects.create(
        slug=slug,
        **{
            "headline": "Give an hour",
            "text": "Of a lawyer's time.",
            "link": "https://example.org/give/",
            "button": "Give",
            **changes,
        },
    )


def make_place(where: dict[str, Any]) -> SubscriberLocation:
    key = "|".join(str(value) for value in where.values())
    return SubscriberLocation.objects.get_or_create(key=key, defaults=where)[0]


def make_uuid(name: str) -> UUID:
    """Return the same key for the same name, so that `repeat_rows` finds the same rows in each test."""
    return uuid5(NAMESPACE_DNS, name)


def add_subscribers(
    publication: Publication, count: int, *, where: dict[str, Any] | None = None, start: int = 0, **fields: Any
) -> list[Subscriber]:
    """People who may be mailed: person0@example.com and so on."""
    place = make_place(where) if where else None
    # A test may have changed the address of a person who was added before, and adds them again.
    last = Subscriber.objects.aggregate(last=Max("pk"))["last"]
    people = Subscriber.objects.bulk_create(
        Subscriber(
            email=f"person{number}@example.com",
            uuid=make_uuid(f"person {number} after {last}"),
            address_hash=identify(f"person{number}@example.com"),
            name=f"Reader{number} Sample",
            place=place,
            created_at=NOW,
            **fields,
        )
        for number in range(start, start + count)
    )
    Subscription.objects.bulk_create(
        Subscription(
            subscriber=person,
            mailing_list=publication.mailing_list,
            basis="consent",
            evidence="a form",
            requested_at=NOW,
        )
        for person in people
    )
    return people


def make_approver(email: str = "approver@example.org") -> User:
    person, _ = User.objects.get_or_create(username=email, defaults={"email": email})
    person.user_permissions.add(
        *Permission.objects.filter(codename__in=["approve_issue", "send_issue", "change_issue"])
    )
    return User.objects.get(pk=person.pk)


@repeat_rows
def make_issue(publication: Publication, *, approved: bool = False) -> Issue:
    """The issue of the slot of ``DUE``, assembled from whatever the test made before."""
    assembly = assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW)
    assert assembly.issue is not None
    if approved:
        approve.approve_issue(issue=assembly.issue, by=make_approver(), now=NOW)
    return assembly.issue
