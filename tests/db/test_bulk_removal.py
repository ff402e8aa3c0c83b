"""People are deleted with everything that belongs to them in a few statements, as many as for one person."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscribers.importing.writing.bulk_removal import delete_people, list_references, record_events
from subscribers.importing.writing.undo import undo_now
from subscribers.models import ConsentEvent, ImportBatch, Subscriber, SubscriberAttribute, Subscription, Topic
from subscribers.segments.attributes import write_attributes
from tests.support.people import NOW, make_list, make_member
from tests.support.people_imports import import_text

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def make_person_with_rows(email: str) -> Subscriber:
    person = make_member(make_list(email.partition("@")[0]), email)
    person.topics.add(Topic.objects.get_or_create(slug="law", name="Law")[0])
    write_attributes([(person.pk, {"membership": "gold"})])
    ConsentEvent.objects.create(subscriber=person, address_hash=person.address_hash, kind="requested", at=NOW)
    return person


def test_deleted_people_leave_nothing_but_their_proofs_of_consent() -> None:
    gone, kept = make_person_with_rows("gone@example.org"), make_person_with_rows("kept@example.org")
    delete_people([gone.pk])
    assert list(Subscriber.objects.all()) == [kept]
    for model in (Subscription, SubscriberAttribute, Subscriber.topics.through):
        assert set(model.objects.values_list("subscriber_id", flat=True)) == {kept.pk}, model
    proofs = ConsentEvent.objects.filter(kind="requested", address_hash=gone.address_hash)
    assert [proof.subscriber_id for proof in proofs] == [None]


def test_every_reference_to_people_is_known() -> None:
    names = {f"{field.model.__name__}.{field.name}" for field in list_references()}
    assert {"Subscription.subscriber", "ConsentEvent.subscriber", "Exclusion.subscriber"} <= names
    assert {field.remote_field.model for field in list_references()} == {Subscriber}


def test_a_recorded_event_is_like_one_that_was_saved() -> None:
    person = make_member(make_list(), "ann@example.org")
    weekly = person.subscriptions.get().mailing_list
    same = {"mailing_list_id": weekly.pk, "kind": "ended", "at": NOW, "source": "an undo", "by": "kim"}
    ConsentEvent.objects.all()._raw_delete("default")
    ConsentEvent.objects.create(subscriber=person, address_hash=person.address_hash, **same)
    record_events([person.pk], same)
    saved, recorded = ConsentEvent.objects.order_by("pk").values()
    assert {**saved, "id": 0} == {**recorded, "id": 0}


def test_an_undo_asks_as_often_for_many_people_as_for_few() -> None:
    counts = []
    for people in (3, 60):
        lines = "".join(f"person{number}of{people}@example.org\n" for number in range(people))
        report = import_text(make_list(f"list{people}"), f"email\n{lines}")
        batch = ImportBatch.objects.get(pk=report.batch_id)
        with CaptureQueriesContext(connection) as queries:
            assert undo_now(batch, by="kim", clock=lambda: NOW)["removed"] == people
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert not Subscriber.objects.exists()
