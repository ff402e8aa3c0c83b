"""What readers chose is what the next issue does: how far they travel, only events, a pause, and whom a story must not reach."""

from datetime import timedelta

import pytest

from newsletter.common.errors import NotReady
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.recipient_groups import count_final_audience
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

pytestmark = pytest.mark.django_db(transaction=True)

READING = {"country": "GB", "region": "GB-ENG", "town": "Reading", "latitude": 51.45, "longitude": -0.97}
"""About 59 km from London."""


def start(issue: Issue) -> Send:
    return start_send(issue=issue, now=NOW)


def choose(people: list[Subscriber], **choice: object) -> None:
    Subscription.objects.filter(subscriber__in=people).update(**choice)


def mail_of(person: Subscriber) -> Variant:
    return Batch.objects.get(deliveries=Delivery.objects.get(subscriber_id=person.pk)).variant


def test_who_asked_for_events_alone_gets_the_near_ones_alone_and_a_subject_that_says_so():
    publication = make_publication(host_url="https://example.org/host/")
    make_story("The first verdict")
    make_event("Vigil by the river", where=LONDON)
    make_event("A call for everybody", online=True)
    (reader,) = add_subscribers(publication, 1, where=READING)
    choose([reader], frequency="events")
    start(make_issue(publication, approved=True))
    mail = mail_of(reader)
    assert mail.subject == "Events near you: Vigil by the river"
    assert "Vigil by the river" in mail.text
    assert "The first verdict" not in mail.html + mail.text + mail.preheader
    assert "A call for everybody" not in mail.text


def test_who_asked_for_events_alone_and_has_none_near_gets_nothing_and_is_counted():
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
    assert "Vigil by the river" in mail_of(reader).text


@pytest.mark.parametrize(("radius", "near"), [(None, True), (30, False), (60, True)])
def test_the_readers_own_radius_decides_what_is_near_and_the_publications_where_they_said_nothing(radius, near):
    publication = make_publication(radius_km=80)
    make_story("The first verdict")
    make_event("Vigil by the river", where={**LONDON, "region": "GB-XXX"})
    (reader,) = add_subscribers(publication, 1, where=READING, radius_km=radius)
    start(make_issue(publication, approved=True))
    assert ("Vigil by the river" in mail_of(reader).text) == near


def test_a_pause_is_nothing_until_it_is_over_and_then_all_goes_on_by_itself():
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


def test_a_story_does_not_reach_the_regions_it_must_not_nor_anybody_who_may_be_there():
    publication = make_publication()
    make_story("Told in Texas", not_in_regions=["US-TX"])
    make_story("The second verdict", days_old=2)
    (texan,) = add_subscribers(publication, 1, where=HOUSTON)
    (londoner,) = add_subscribers(publication, 1, where=LONDON, start=10)
    (somewhere,) = add_subscribers(publication, 1, start=20)
    (american,) = add_subscribers(publication, 1, where={"country": "US", "region": "", "town": ""}, start=30)
    start(make_issue(publication, approved=True))
    for reader in (texan, somewhere, american):
        mail = mail_of(reader)
        assert "Told in Texas" not in mail.html + mail.text + mail.subject + mail.preheader
        assert mail.subject == "The second verdict"
    assert mail_of(londoner).subject == "Told in Texas"
    assert mail_of(texan) == mail_of(somewhere)
    assert "without 1 story" in mail_of(texan).label.lower()


def test_an_audience_of_whom_nobody_has_an_event_near_cannot_be_sent_to():
    publication = make_publication()
    make_story("The first verdict")
    choose(add_subscribers(publication, 2, where=HOUSTON), frequency="events")
    with pytest.raises(NotReady, match="Nobody would get"):
        make_issue(publication, approved=True)


def test_rhythm_and_radius_make_groups_but_the_same_content_is_rendered_once():
    publication = make_publication(radius_km=80)
    make_story("The first verdict")
    make_event("Vigil by the river", where=LONDON)
    for start_at, radius in ((0, None), (10, 20), (20, 50)):
        add_subscribers(publication, 2, where=LONDON, start=start_at, radius_km=radius)
    send = start(make_issue(publication, approved=True))
    assert ReaderGroup.objects.count() == 3
    assert Variant.objects.count() == 1
    assert make_receipt(send).recipients == 6
