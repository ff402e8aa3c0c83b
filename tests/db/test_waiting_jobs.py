"""A job does not rest while its work waits for a time: for the provider, for another attempt, or for the end of a lease."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db.models import Model

from newsletter.api_keys import make_key
from newsletter.inbound.canaries.read_canaries import LOOKED_FOR
from newsletter.jobs.catalogue import JOBS
from newsletter.models import (
    CanaryMail,
    InboundForward,
    InboundMail,
    MailLimits,
    ProviderEvent,
    Publication,
    Send,
    StaffLink,
    StaffNotice,
    TemplateMail,
)
from newsletter.outbound.endpoints import send_test
from subscribers.models import (
    Basis,
    Confirmation,
    ImportBatch,
    MailedLink,
    StayQuestion,
    Subscriber,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.support.canaries import make_unread_mailbox
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.inbound_mails import make_waiting_reply
from tests.support.mail_templates import make_mail_template
from tests.support.people import make_member, make_person, subscribe
from tests.support.sends import start_send
from tests.support.webhooks import make_endpoint

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
FAILING = {"failures": 1, "failing_since": NOW}
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def make_confirmation() -> Confirmation:
    mailing_list = make_publication().mailing_list
    person = make_person()
    subscribe(person, mailing_list, basis=Basis.DOUBLE_OPT_IN, confirmed_at=None)
    return Confirmation.objects.create(subscriber=person, mailing_list=mailing_list, requested_at=NOW)


def make_link() -> MailedLink:
    mailing_list = make_publication().mailing_list
    person = make_member(mailing_list)
    return MailedLink.objects.create(subscriber=person, mailing_list=mailing_list, kind="erase", asked_at=NOW)


def make_staff_link() -> StaffLink:
    make_publication()
    return StaffLink.objects.create(person=make_approver(), kind="password", made_at=NOW, expires_at=NOW + HOUR)


def make_single_mail() -> TemplateMail:
    return TemplateMail.objects.create(
        template=make_mail_template(make_publication()),
        api_key=make_key(name="Shop", scope="mails:send", by="kim", now=NOW)[0],
        email="ada@example.org",
        address_hash=b"1" * 16,
        values={"amount": "£25"},
        asked_at=NOW,
    )


def make_question() -> StayQuestion:
    MailLimits.objects.update_or_create(pk=1, defaults={"silent_months": 12})
    mailing_list = make_publication().mailing_list
    return StayQuestion.objects.create(subscriber=make_member(mailing_list), mailing_list=mailing_list, asked_at=NOW)


def make_forward() -> InboundForward:
    reply = make_waiting_reply(state=InboundMail.State.TO_SEND_ON)
    return InboundForward.objects.create(mail=reply, email="office@example.org")


def make_import() -> ImportBatch:
    mailing_list = make_publication().mailing_list
    return ImportBatch.objects.create(
        mailing_list=mailing_list, by="kim", evidence="a form", started_at=NOW, state="running", stored=True
    )


def make_webhook() -> WebhookDelivery:
    return send_test(endpoint=make_endpoint(), now=NOW)


def make_event(kind: str = "delivered") -> ProviderEvent:
    return ProviderEvent.objects.create(
        provider="ses", key="1", kind=kind, body={"link": "x"}, received_at=NOW, retry_at=NOW
    )


def make_send() -> Send:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    return start_send(issue=make_issue(publication, approved=True), now=NOW)


def make_canary_mail() -> CanaryMail:
    return CanaryMail.objects.create(
        send=make_send(),
        mailbox=make_unread_mailbox(),
        turn="first",
        key="1",
        state="accepted",
        made_at=NOW,
        sent_at=NOW,
    )


def make_notice() -> StaffNotice:
    publication = make_publication()
    return StaffNotice.objects.create(
        key="held-1", person=make_approver(), subject="Held", link="/", publication=publication, made_at=NOW
    )


WORK: list[tuple[str, Callable[[], Model], dict[str, object]]] = [
    ("send_confirmations", make_confirmation, {"sent_at": NOW}),
    ("send_requested_links", make_link, {"sent_at": NOW}),
    ("send_staff_links", make_staff_link, {"sent_at": NOW}),
    ("send_single_mails", make_single_mail, {"state": "failed", "email": "", "values": {}}),
    ("send_stay_questions", make_question, {"sent_at": NOW}),
    ("forward_waiting_replies", make_forward, {"sent_at": NOW}),
    ("import_people", make_import, {"state": "finished"}),
    ("deliver_webhooks", make_webhook, {"due_at": NOW + HOUR}),
    ("apply_provider_events", make_event, {"applied_at": NOW}),
    ("confirm_report_subscriptions", lambda: make_event("subscription"), {"body": {}}),
    ("read_canary_mailboxes", make_canary_mail, {"result": "missing", "sent_at": NOW - LOOKED_FOR}),
    ("adjust_send_paces", make_send, {"state": "paused"}),
    ("dispatch_batches", make_send, {"state": "paused"}),
    ("send_staff_notices", make_notice, {"sent_at": NOW}),
]


def waits(name: str, *, at: datetime = NOW) -> bool:
    job = next(job for job in JOBS if job.name == name)
    with time_machine.travel(at, tick=False):
        return job.waits_for_time()


@pytest.mark.parametrize(("name", "make", "done"), WORK, ids=lambda value: value if isinstance(value, str) else "")
def test_a_job_with_waiting_work_does_not_rest(name: str, make: Callable[[], Model], done: dict[str, object]) -> None:
    assert not waits(name)
    row = make()
    if isinstance(row, Send):
        Send.objects.update(state=Send.State.SUBMITTING)
    assert waits(name)
    type(row)._default_manager.filter(pk=row.pk).update(**done)
    assert not waits(name)


def test_staff_notices_do_not_rest_while_a_send_needs_attention() -> None:
    make_send()
    assert not waits("write_staff_notices")
    Send.objects.update(state=Send.State.NEEDS_ATTENTION)
    assert waits("write_staff_notices")


@pytest.mark.parametrize(
    ("name", "make"), [(name, make) for name, make, _ in WORK[:3]], ids=[row[0] for row in WORK[:3]]
)
def test_mails_without_a_publication_to_send_them_wait_for_a_write(name: str, make: Callable[[], Model]) -> None:
    make()
    Publication.objects.all().delete()
    assert not waits(name)


def test_a_confirmation_that_can_never_be_sent_lets_its_job_rest() -> None:
    make_confirmation()
    Subscriber.objects.get().subscriptions.update(confirmed_at=NOW)
    assert not waits("send_confirmations")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({"state": "stopped", **FAILING}, False), ({"retry_at": NOW + HOUR, **FAILING}, False), ({}, True)],
)
def test_a_webhook_waits_for_an_active_endpoint_that_may_be_tried(changed: dict[str, object], expected: bool) -> None:
    make_webhook()
    if changed:
        WebhookEndpoint.objects.update(**changed)
    assert waits("deliver_webhooks") is expected


def test_an_event_that_is_tried_again_within_a_rest_keeps_the_job_running() -> None:
    make_event()
    ProviderEvent.objects.update(retry_at=NOW + 65 * SECOND)
    assert waits("apply_provider_events")
    ProviderEvent.objects.update(retry_at=NOW + 10 * 60 * SECOND)
    assert not waits("apply_provider_events")
