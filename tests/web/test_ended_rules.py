"""A rule about who was sent an issue ends when that list is deleted, 90 days after the issue. Every page opens with it."""

import pytest
from django.urls import get_resolver

from newsletter.models import Issue, Publication
from subscribers.links.signed_links import Purpose
from subscribers.models import MailingList, Segment, Subscriber, Suppression
from tests.support.desk import sign_in_superuser
from tests.support.desk_pages import fill, make_desk_rows  # noqa: F401  a fixture
from tests.support.desk_routes import LOOKED_AT, list_desk_routes
from tests.support.people import path_to

pytestmark = pytest.mark.django_db
READER_PAGES = (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE, Purpose.CONFIRM, Purpose.STAY)


@pytest.fixture
def ended(desk: dict[str, str], publication: Publication) -> dict[str, str]:
    """Send everything to a segment whose rule ended."""
    segment = Segment.objects.get(pk=desk["admin/segments"])
    Segment.objects.filter(pk=segment.pk).update(rule={"received": "weekly/99"})
    Publication.objects.update(segment=segment)
    Issue.objects.filter(slot=None, kind=Issue.Kind.ISSUE).update(segment=segment)
    return desk


@pytest.mark.long
def test_each_page_of_the_desk_opens_with_a_rule_that_ended(ended: dict[str, str]) -> None:
    client = sign_in_superuser()
    client.raise_request_exception = False
    failed = []
    for name, address in list_desk_routes(get_resolver()):
        path = fill(address, name.partition(" ")[2], ended)
        if name in LOOKED_AT and client.get(path).status_code >= 500:
            failed.append(path)
    assert failed == []


def test_each_page_of_a_reader_opens_with_a_rule_that_ended(ended: dict[str, str]) -> None:
    client = sign_in_superuser()
    Suppression.objects.all().delete()
    person, weekly = Subscriber.objects.get(pk=ended["admin/people"]), MailingList.objects.get()
    assert {client.get(path_to(person, weekly, purpose)).status_code for purpose in READER_PAGES} == {200}
