"""Webhooks reach a receiver at least once, in order for each person, and end in a state that staff understand."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from newsletter.common.errors import NotFound, NotReady
from newsletter.content.fetching import poster
from newsletter.content.fetching.errors import FetchError
from newsletter.jobs.notices.about_people import notify_stopped_webhooks
from newsletter.models import Installation, StaffNotice
from newsletter.outbound import deliver as deliver_module
from newsletter.outbound.deliver import claim_due, deliver_due, has_waiting_webhook, make_message_id
from newsletter.outbound.endpoints import (
    BadEndpoint,
    add_endpoint,
    change_endpoint,
    remove_endpoint,
    rotate_secret,
    send_test,
    turn_on,
)
from newsletter.outbound.outcome import PATIENCE, record_delivered, record_failed
from newsletter.outbound.replay import RETENTION, delete_old_outbound_events, replay_event, replay_since
from newsletter.outbound.signing import SEALER, reseal_secrets
from subscribers.models import EventKind, OutboundEvent, Subscriber, WebhookDelivery, WebhookEndpoint
from subscribers.models.webhooks import MAX_LEASE
from subscribers.outbound_events import record_event
from tests.support.desk import sign_in
from tests.support.fixtures import make_publication
from tests.support.migrated_database import SERVER
from tests.support.people import NOW, make_person
from tests.support.webhook_receiver import Receiver, run_receiver
from tests.support.webhooks import SECRET, make_endpoint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    settings.NEWSLETTER_FETCH_ALLOW = ["127.0.0.1"]
    with run_receiver() as running:
        yield running


def happen(*people: Subscriber | None, at: datetime = NOW) -> None:
    for person in people:
        record_event(EventKind.PERSON_CHANGED, data={}, now=at, person=person.pk if person else None)


def deliver(now: datetime = NOW) -> int:
    return deliver_due(clock=lambda: now)


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True))


def test_a_stranger_verifies_the_signature_and_reads_the_person(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    ada = make_person()
    happen(ada)
    assert deliver(datetime.now(NOW.tzinfo)) == 1
    got = receiver.received[0]
    Webhook(SECRET).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(got.body + b" ", got.headers)
    assert got.document["type"] == "person.changed"
    assert got.document["data"] == {"origin": "system", "person": {"id": ada.pk, "email": "ada@example.org"}}
    assert states() == ["delivered"]
    assert deliver() == 0


def test_an_erased_person_is_reported_without_an_address(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    ada = make_person()
    happen(ada)
    pk = ada.pk
    ada.delete()
    deliver()
    assert receiver.received[0].document["data"]["person"] == {"id": pk, "email": None}


def test_after_a_rotation_both_secrets_sign_for_a_day(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=receiver.url)
    now = datetime.now(NOW.tzinfo)
    new = rotate_secret(endpoint=endpoint, now=now)
    happen(None, at=now)
    deliver(now)
    for secret in (SECRET, new):
        Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)
    happen(None, at=now)
    WebhookEndpoint.objects.update(old_secret_until=now)
    deliver(now)
    Webhook(new).verify(receiver.received[1].body, receiver.received[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(receiver.received[1].body, receiver.received[1].headers)


def test_another_address_gets_a_new_secret_and_only_that_one(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=f"{receiver.url}/before")
    now = datetime.now(NOW.tzinfo)
    before = rotate_secret(endpoint=endpoint, now=now)
    happen(None, at=now)
    new = change_endpoint(endpoint=endpoint, name="CRM", url=receiver.url, kinds=[])
    assert deliver(now) == 1
    got = receiver.received[0]
    Webhook(new).verify(got.body, got.headers)
    for known in (SECRET, before):
        with pytest.raises(WebhookVerificationError):
            Webhook(known).verify(got.body, got.headers)


def test_another_address_does_not_inherit_the_failures_of_the_one_before(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=f"{receiver.url}/before")
    happen(None, None)
    receiver.answer = lambda _: 500
    deliver()
    almost = NOW + PATIENCE - timedelta(minutes=1)
    deliver(almost)
    change_endpoint(endpoint=endpoint, name="CRM", url=receiver.url, kinds=[])
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since, endpoint.retry_at) == (0, None, None)
    WebhookDelivery.objects.update(due_at=almost)
    deliver(NOW + PATIENCE)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.failing_since) == ("active", NOW + PATIENCE)
    assert states() == ["pending", "pending"]
    assert set(WebhookDelivery.objects.values_list("first_attempt_at", flat=True)) <= {None, NOW + PATIENCE}


@pytest.mark.parametrize("status", [410, 500])
def test_a_late_failure_of_the_address_before_does_not_count(receiver: Receiver, status: int) -> None:
    endpoint = make_endpoint(url=f"{receiver.url}/before")
    happen(None)
    (claimed,) = claim_due(now=NOW)
    change_endpoint(endpoint=endpoint, name="CRM", url=receiver.url, kinds=[])
    record_failed(claimed, error="gone", status=status, now=NOW)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.failures) == ("active", 0)
    assert WebhookDelivery.objects.get().attempts == 0
    assert deliver(datetime.now(NOW.tzinfo)) == 1
    assert states() == ["delivered"]


def test_late_deliveries_of_the_former_address_go_to_the_new_one(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=f"{receiver.url}/before")
    happen(None)
    (claimed,) = claim_due(now=NOW)
    change_endpoint(endpoint=endpoint, name="CRM", url=receiver.url, kinds=[])
    WebhookEndpoint.objects.update(failures=1, failing_since=NOW)
    record_delivered([claimed], now=NOW)
    assert (states(), WebhookEndpoint.objects.get().failures) == (["pending"], 1)


def test_a_stopped_webhook_sends_what_it_missed_to_its_new_address(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=f"{receiver.url}/before")
    happen(None)
    receiver.answer = lambda _: 500
    deliver()
    deliver(NOW + PATIENCE)
    change_endpoint(endpoint=endpoint, name="CRM", url=receiver.url, kinds=[])
    endpoint.refresh_from_db()
    receiver.answer = lambda _: 200
    assert turn_on(endpoint=endpoint, now=NOW + PATIENCE)
    deliver(NOW + PATIENCE)
    assert states() == ["delivered"]


def test_the_same_address_keeps_its_secret(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=receiver.url)
    now = datetime.now(NOW.tzinfo)
    assert change_endpoint(endpoint=endpoint, name="Donors", url=receiver.url, kinds=[]) == ""
    happen(None, at=now)
    deliver(now)
    Webhook(SECRET).verify(receiver.received[0].body, receiver.received[0].headers)


def test_a_failed_attempt_is_made_again_later_with_the_same_id(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=receiver.url)
    happen(None)
    receiver.answer = lambda _: 500
    assert deliver() == 1
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status, delivery.attempts) == ("pending", 500, 1)
    assert "answered with status 500" in str(delivery.error)
    assert deliver() == 0
    receiver.answer = lambda _: 200
    assert deliver(NOW + timedelta(seconds=6)) == 1
    ids = {one.headers["webhook-id"] for one in receiver.received}
    assert ids == {make_message_id(OutboundEvent.objects.get())}
    endpoint.refresh_from_db()
    assert (states(), endpoint.failures, endpoint.failing_since) == (["delivered"], 0, None)


def test_one_persons_events_arrive_in_their_order(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    ada, bea = make_person(), make_person("bea@example.org")
    happen(ada, bea, ada, bea)
    failed = iter([True])
    first = OutboundEvent.objects.earliest("pk")
    receiver.answer = lambda got: (
        500 if got.headers["webhook-id"] == make_message_id(first) and next(failed, False) else 204
    )
    deliver()
    deliver(NOW + timedelta(seconds=6))
    deliver(NOW + timedelta(minutes=6))
    taken = [one for one in receiver.received if one.document["data"]["person"]["id"] == ada.pk]
    events = [make_message_id(event) for event in OutboundEvent.objects.filter(person=ada.pk).order_by("pk")]
    assert [one.headers["webhook-id"] for one in taken] == [events[0], events[0], events[1]]
    assert states() == ["delivered"] * 4


def test_an_endpoint_that_fails_is_asked_with_one_message_only(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(*[None] * 20)
    receiver.answer = lambda _: 503
    deliver()
    first = len(receiver.received)
    assert first <= 8
    deliver(NOW + timedelta(minutes=1))
    assert len(receiver.received) == first + 1


def test_a_wait_that_the_receiver_names_is_kept(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=receiver.url)
    happen(None)
    receiver.answer = lambda _: (429, {"Retry-After": "3600"}, b"")
    deliver()
    endpoint.refresh_from_db()
    assert WebhookDelivery.objects.get().due_at == endpoint.retry_at == NOW + timedelta(hours=1)


def test_a_wait_that_makes_no_sense_is_ignored(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(None)
    receiver.answer = lambda _: (503, {"Retry-After": "Mon, 01 Jan 2024 00:00:00 +99999999999999"}, b"")
    deliver()
    assert WebhookDelivery.objects.get().status == 503


def test_after_a_failure_everything_that_waited_goes_at_once(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(None, None)
    receiver.answer = lambda _: 500
    deliver()
    WebhookDelivery.objects.filter(attempts__gt=0).update(due_at=NOW + timedelta(hours=20))
    receiver.answer = lambda _: 200
    happen(None)
    assert deliver(NOW + timedelta(minutes=1)) == 3
    assert states() == ["delivered"] * 3


def test_a_slow_receiver_does_not_hold_up_another(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver_module, "CHUNK_SECONDS", 1.5)  # a busy machine needs it for twenty quick calls
    with run_receiver() as other:
        make_endpoint(url=receiver.url)
        make_endpoint(name="Web site", url=other.url)
        happen(*[None] * 20)
        receiver.answer = lambda _: time.sleep(1) or 200
        claimed = claim_due(now=NOW)
        deliver_module._deliver(claimed, clock=lambda: NOW, stopping=lambda: False)
        assert len(other.received) == 20
        assert len(receiver.received) < 20
        assert WebhookDelivery.objects.claimed(now=NOW).count() == 0


def test_an_installation_on_hold_sends_nothing(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(None)
    Installation.objects.update_or_create(pk=1, defaults={"held": True, "changed_at": NOW})
    assert deliver() == 0
    Installation.objects.update(held=False)
    assert deliver() == 1


def test_a_second_worker_skips_an_endpoint_in_use(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(None)
    claim_due(now=NOW)
    happen(None)
    assert claim_due(now=NOW) == []


@pytest.mark.skipif(not SERVER, reason="two writers at once, in one process: only on a database server")
def test_two_workers_at_once_send_each_event_once_and_in_order(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    people = [make_person(f"person{number}@example.org") for number in range(20)]
    for minute in range(3):
        happen(*people, at=NOW + timedelta(minutes=minute))
    until = time.monotonic() + 30

    def work() -> None:
        try:
            while "pending" in states() and time.monotonic() < until:
                deliver(NOW + timedelta(hours=1))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers:
        for job in [workers.submit(work), workers.submit(work)]:
            job.result()
    assert len({got.headers["webhook-id"] for got in receiver.received}) == len(receiver.received) == 60
    for person in people:
        times = [
            got.document["timestamp"] for got in receiver.received if got.document["data"]["person"]["id"] == person.pk
        ]
        assert times == sorted(times)


def test_an_endpoint_that_is_removed_while_it_is_sent_to_harms_nobody(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=receiver.url)
    happen(None)
    claimed = claim_due(now=NOW)
    remove_endpoint(endpoint=endpoint)
    deliver_module._deliver(claimed, clock=lambda: NOW, stopping=lambda: False)
    assert not WebhookDelivery.objects.exists()


def test_events_that_are_no_longer_chosen_are_not_sent(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=receiver.url)
    happen(None)
    change_endpoint(endpoint=endpoint, name="CRM", url=receiver.url, kinds=["person.erased"])
    assert deliver() == 0


def test_a_stopped_webhook_takes_neither_tests_nor_repeats() -> None:
    endpoint = make_endpoint(state="off")
    for attempt in (
        lambda: send_test(endpoint=endpoint, now=NOW),
        lambda: replay_since(endpoint=endpoint, since=NOW, now=NOW),
    ):
        with pytest.raises(NotReady, match="Turn it on first"):
            attempt()


def test_a_lease_of_a_clock_that_was_set_back_is_ignored(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(None)
    WebhookDelivery.objects.update(leased_until=NOW + timedelta(days=30))
    WebhookEndpoint.objects.update(retry_at=NOW + timedelta(days=30), failures=1, failing_since=NOW)
    assert deliver() == 1


def test_an_event_of_a_clock_that_was_set_back_is_sent_at_once(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(None, at=NOW + timedelta(days=30))
    assert has_waiting_webhook(by=NOW)
    assert deliver() == 1


def test_a_clock_that_was_set_back_does_not_delay_giving_up(receiver: Receiver) -> None:
    """Events and their endpoint were asked before, by a clock that was ahead."""
    receiver.answer = lambda _: 500
    endpoint = make_endpoint(url=receiver.url)
    happen(None)
    ahead = NOW + timedelta(days=30)
    WebhookDelivery.objects.update(first_attempt_at=ahead, attempts=1)
    WebhookEndpoint.objects.update(retry_at=ahead, failures=1, failing_since=ahead)
    deliver()
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.failures) == (NOW, 2)
    assert endpoint.retry_at == NOW + timedelta(seconds=30)
    assert WebhookDelivery.objects.get().first_attempt_at == NOW


def test_the_longest_wait_of_a_receiver_is_no_clock_ahead(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(None)
    WebhookDelivery.objects.update(due_at=NOW + timedelta(days=1))
    assert not has_waiting_webhook(by=NOW)
    assert deliver() == 0


def test_a_replaced_secret_is_forgotten_after_its_day() -> None:
    endpoint = make_endpoint()
    rotate_secret(endpoint=endpoint, now=NOW)
    reseal_secrets(now=NOW + timedelta(days=1))
    endpoint.refresh_from_db()
    assert (endpoint.sealed_old_secret, endpoint.old_secret_until) == ("", None)


def test_a_failing_endpoint_stops_after_three_days_and_notifies_staff(receiver: Receiver) -> None:
    make_publication()
    sign_in("admin")
    endpoint = make_endpoint(url=receiver.url)
    happen(None)
    receiver.answer = lambda _: 500
    deliver()
    deliver(NOW + PATIENCE)
    endpoint.refresh_from_db()
    assert (endpoint.state, states()) == ("stopped", ["given_up"])
    happen(None, at=NOW + PATIENCE)
    assert deliver(NOW + PATIENCE * 2) == 0
    for _ in range(2):
        notify_stopped_webhooks(now=NOW + PATIENCE)
    notice = StaffNotice.objects.get()
    assert "“Donor database” is stopped" in str(notice.subject)
    assert f"has accepted no webhook since {NOW:%-d %B %Y, %H:%M} (UTC)" in notice.paragraphs[0]
    receiver.answer = lambda _: 200
    assert turn_on(endpoint=endpoint, now=NOW + PATIENCE)
    assert deliver(NOW + PATIENCE * 2) == 2
    assert states() == ["delivered"] * 2
    assert not mail.outbox


def test_an_address_that_is_gone_is_stopped_at_once(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=receiver.url)
    happen(None)
    receiver.answer = lambda _: 410
    deliver()
    endpoint.refresh_from_db()
    assert (endpoint.state, states()) == ("stopped", ["pending"])


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(None)
    receiver.answer = lambda _: (307, {"Location": receiver.url}, b"")
    deliver()
    assert len(receiver.received) == 1
    assert "enter the final address" in str(WebhookDelivery.objects.get().error)


def test_a_long_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(None, None)
    receiver.answer = lambda _: (200, {}, b"x" * 10_000_000)
    deliver()
    assert states() == ["delivered"] * 2


def test_a_receiver_that_hangs_is_given_up_in_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poster, "ANSWER_SECONDS", 0.3)
    make_endpoint(url=receiver.url)
    happen(None)
    receiver.answer = lambda _: None
    deliver()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status) == ("pending", None)
    assert "took too long to answer" in str(delivery.error)


def test_a_receiver_that_drips_is_given_up_in_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poster, "TOTAL_SECONDS", 0.5)
    make_endpoint(url=receiver.url)
    happen(None)
    receiver.drips = True
    deliver()
    assert states() == ["pending"]
    assert "took too long to answer" in str(WebhookDelivery.objects.get().error)


def test_a_private_address_gets_nothing_unless_it_is_allowed(receiver: Receiver, settings) -> None:
    settings.NEWSLETTER_FETCH_ALLOW = []
    make_endpoint(url=receiver.url)
    happen(None)
    deliver()
    assert receiver.received == []
    assert "127.0.0.1" in str(WebhookDelivery.objects.get().error)
    with pytest.raises(FetchError, match="port"):
        add_endpoint(name="Inside", url=receiver.url, kinds=[], by="admin", now=NOW)


def test_plain_http_is_only_for_allowed_hosts() -> None:
    with pytest.raises(FetchError, match="https://"):
        poster.check_post_address("http://crm.example.org/", resolve=lambda host, port: ["93.184.215.14"])
    assert poster.check_post_address("https://crm.example.org/", resolve=lambda host, port: ["93.184.215.14"])


def test_a_delivery_whose_worker_died_is_sent_again(receiver: Receiver) -> None:
    make_endpoint(url=receiver.url)
    happen(None)
    assert len(claim_due(now=NOW)) == 1
    assert claim_due(now=NOW) == []
    assert deliver(NOW + MAX_LEASE + timedelta(seconds=1)) == 1
    assert states() == ["delivered"]


def test_events_are_sent_again_by_id_or_since_a_moment(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=receiver.url)
    happen(None, None, at=NOW)
    happen(None, at=NOW + timedelta(hours=1))
    deliver(NOW + timedelta(hours=2))
    message_id = make_message_id(OutboundEvent.objects.earliest("pk"))
    assert replay_event(endpoint=endpoint, message_id=message_id, now=NOW) == 1
    assert replay_since(endpoint=endpoint, since=NOW + timedelta(minutes=1), now=NOW) == 1
    assert deliver(NOW + timedelta(hours=2)) == 2
    later = make_endpoint(name="A later one", url=receiver.url)
    assert replay_since(endpoint=later, since=NOW, now=NOW) == 3
    for unknown in ("evt_5", "evt_" + "0" * 32):
        with pytest.raises(NotFound, match="webhook-id"):
            replay_event(endpoint=endpoint, message_id=unknown, now=NOW)


def test_a_test_goes_only_to_its_endpoint(receiver: Receiver) -> None:
    endpoint = make_endpoint(url=receiver.url, kinds=[EventKind.PERSON_ERASED])
    make_endpoint(name="Another", url=receiver.url)
    send_test(endpoint=endpoint, now=NOW)
    deliver()
    assert receiver.kinds == ["test"]


def test_events_are_forgotten_after_thirty_days() -> None:
    make_endpoint()
    happen(None)
    delete_old_outbound_events(now=NOW + RETENTION)
    assert OutboundEvent.objects.count() == 1
    delete_old_outbound_events(now=NOW + RETENTION + timedelta(seconds=1))
    assert (OutboundEvent.objects.count(), WebhookDelivery.objects.count()) == (0, 0)


def test_a_secret_that_no_key_opens_sends_nothing(receiver: Receiver, settings) -> None:
    endpoint = make_endpoint(url=receiver.url)
    happen(None)
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another key of this installation"
    settings.SECRET_KEY_FALLBACKS = []
    deliver()
    assert receiver.received == []
    assert "cannot be read" in str(WebhookDelivery.objects.get().error)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert (reseal_secrets(now=NOW), reseal_secrets(now=NOW)) == (1, 0)
    endpoint.refresh_from_db()
    assert SEALER.is_newest(endpoint.sealed_secret)
    assert deliver(NOW + timedelta(minutes=10)) == 1


def test_an_endpoint_needs_a_name_of_its_own_and_known_events(settings) -> None:
    settings.NEWSLETTER_FETCH_ALLOW = ["127.0.0.1"]
    given = {"url": "http://127.0.0.1:9/", "by": "admin", "now": NOW}
    add_endpoint(name="Donor database", kinds=["person.erased"], **given)
    for name, kinds, reason in (("", [], "needs a name"), ("Donor database", [], "already"), ("B", ["x"], "no event")):
        with pytest.raises(BadEndpoint, match=reason):
            add_endpoint(name=name, kinds=kinds, **given)
