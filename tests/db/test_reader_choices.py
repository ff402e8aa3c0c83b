"""An issue follows what readers chose: how far they travel, only events, a pause. It keeps stories from some regions."""

from datetime import timedelta

import pytest

from newsletter.common.errors import NotReady
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_final_audience
from newsletter.models import Batch, Delivery, Issue, ReaderGroup, Send, Variant
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import make_receipt
from subscribers.models import Subscriber, Subscription
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_event,
    make_issue,
    make_publication,
    make_story,
)

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

READING = {"country": "GB", "region": "GB-ENG", "town": "Reading", "latitude": 51.45, "longitude": -0.97}
"""About 59 km from London."""


def start(issue: Issue) -> Send:
    return start_send(issue=issue, now=NOW)


def choose(people: list[Subscriber], **choice: object) -> None:
    Subscription.objects.filter(subscriber__in=people).update(**choice)


def find_mail(person: Subscriber) -> Variant:
    return Batch.objects.get(deliveries=Delivery.objects.get(subscriber_id=person.pk)).variant


def test_readers_who_want_only_events_get_those_near_them():
    publication = make_publication(host_url="https://example.org/host/")
    make_story("The first verdict")
    make_event("Vigil by the river", where=LONDON)
    make_event("A call for everybody", online=True)
    (reader,) = add_subscribers(publication, 1, where=READING)
    choose([reader], frequency="events")
    start(make_issue(publication, approved=True))
    mail = find_mail(reader)
    assert mail.subject == "Events near you: Vigil by the river"
    assert "Vigil by the river" in mail.text
    assert "The first verdict" not in mail.html + mail.text + mail.preheader
    assert "A call for everybody" not in mail.text


def test_readers_who_want_only_events_and_have_none_near_are_excluded():
    publication = make_publication()
    make_story("The first verdict")
    make_event("Vigil by the river", where=LONDON)
    make_event("A call for everybody", online=True)
    add_subscribers(publication, 2, where=LONDON)
    choose(add_subscribers(publication, 3, where=HOUSTON, start=10), frequency="events")
    choose(add_subscribers(publication, 1, start=20), frequency="events")
    issue = make_issue(publication, approved=True)
    before = count_final_audience(issue, content=resolve_content(issue), now=NOW)
    send = start(issue)
    assert send.excluded == before.excluded == {"no_event_near": 4}
    assert (send.candidates, send.recipients) == (before.candidates, before.eligible) == (6, 2)
    assert set(ReaderGroup.objects.filter(variant=None).values_list("frequency", flat=True)) == {"events"}


def test_a_reader_known_only_by_region_gets_the_events_of_the_region():
    publication = make_publication()
    make_story("The first verdict")
    make_event("Vigil by the river", where=LONDON)
    (reader,) = add_subscribers(publication, 1, where={"country": "GB", "region": "GB-ENG", "town": ""})
    choose([reader], frequency="events")
    start(make_issue(publication, approved=True))
    assert "Vigil by the river" in find_mail(reader).text


@pytest.mark.parametrize(("radius", "near"), [(None, True), (30, False), (60, True)])
def test_the_readers_radius_comes_before_the_publications(radius, near):
    publication = make_publication(radius_km=80)
    make_story("The first verdict")
    make_event("Vigil by the river", where={**LONDON, "region": "GB-XXX"})
    (reader,) = add_subscribers(publication, 1, where=READING, radius_km=radius)
    start(make_issue(publication, approved=True))
    assert ("Vigil by the river" in find_mail(reader).text) == near


def test_a_paused_reader_gets_nothing_until_the_pause_ends():
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 1)
    paused = add_subscribers(publication, 1, start=10)
    choose(paused, paused_until=NOW + timedelta(hours=1))
    issue = make_issue(publication, approved=True)
    content = resolve_content(issue)
    assert count_final_audience(issue, content=content, now=NOW).excluded == {"paused": 1}
    assert count_final_audience(issue, content=content, now=NOW + timedelta(hours=1)).eligible == 2
    assert start(issue).excluded == {"paused": 1}


def test_a_story_reaches_nobody_who_may_be_in_an_excluded_region():
    publication = make_publication()
    make_story("Told in Texas", not_in_regions=["US-TX"])
    make_story("The second verdict", days_old=2)
    (texan,) = add_subscribers(publication, 1, where=HOUSTON)
    (londoner,) = add_subscribers(publication, 1, where=LONDON, start=10)
    (somewhere,) = add_subscribers(publication, 1, start=20)
    (american,) = add_subscribers(publication, 1, where={"country": "US", "region": "", "town": ""}, start=30)
    start(make_issue(publication, approved=True))
    for reader in (texan, somewhere, american):
        mail = find_mail(reader)
        assert "Told in Texas" not in mail.html + mail.text + mail.subject + mail.preheader
        assert mail.subject == "The second verdict"
    assert find_mail(londoner).subject == "Told in Texas"
    assert find_mail(texan) == find_mail(somewhere)
    assert "without 1 story" in find_mail(texan).label.lower()


def test_an_issue_that_shows_nobody_an_event_cannot_be_sent():
    publication = make_publication()
    make_story("The first verdict")
    choose(add_subscribers(publication, 2, where=HOUSTON), frequency="events")
    with pytest.raises(NotReady, match="Nobody would get"):
        make_issue(publication, approved=True)


def test_groups_that_see_the_same_share_one_rendered_variant():
    publication = make_publication(radius_km=80)
    make_story("The first verdict")
    make_event("Vigil by the river", where=LONDON)
    for start_at, radius in ((0, None), (10, 20), (20, 50)):
        add_subscribers(publication, 2, where=LONDON, start=start_at, radius_km=radius)
    send = start(make_issue(publication, approved=True))
    assert ReaderGroup.objects.count() == 3
    assert Variant.objects.count() == 1
    assert make_receipt(send).recipients == 6
