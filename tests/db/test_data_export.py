"""A person's data export is complete. A new table or column that is not exported fails here."""

import json
import uuid

import pytest
from django.apps import apps
from django.db import models

from newsletter.api_keys import make_key
from newsletter.issues.planning.welcome import set_up_welcome
from newsletter.models import Delivery, DeliveryException, SenderDelay, TemplateMail, WelcomeStep
from newsletter.models.feedback import Bounce
from newsletter.sending.freezing.start import start_send
from subscribers.identity import identify
from subscribers.models import (
    Case,
    CaseFollow,
    Confirmation,
    ConsentEvent,
    FormerIdentity,
    Frequency,
    HeldSignup,
    ImportBatch,
    ImportRefusal,
    MailedLink,
    Reply,
    StayQuestion,
    Subscriber,
    Suppression,
    Topic,
)
from subscribers.people.describe_person import describe_person
from subscribers.people.preferences import set_frequencies
from subscribers.segments.attributes import write_attributes
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.inbound_mails import make_waiting_reply
from tests.support.mail_templates import make_mail_template
from tests.support.people import make_list, make_member

pytestmark = pytest.mark.postgres

NUMBER = "a number of ours"
OURS = "names a row of ours; what it says is told beside"
SECRET = "a secret or a code made from the address, which would let others act as the person"
REPEATS = {"repeat_at": "when we would send the mail again", "repeats": NUMBER}
TOLD = {
    "subscribers.Subscriber": {
        "uuid": SECRET,
        "address_hash": SECRET,
        "folded_name": "the name again, for searching",
        "import_batch": OURS,
    },
    "subscribers.SubscriberAttribute": {"folded": "the value again, for searching"},
    "subscribers.Subscription": {"import_batch": OURS},
    "subscribers.ConsentEvent": {"address_hash": SECRET},
    "subscribers.Suppression": {"address_hash": SECRET, "import_batch": OURS},
    "subscribers.Confirmation": REPEATS,
    "subscribers.MailedLink": {"public_id": SECRET, **REPEATS},
    "subscribers.StayQuestion": REPEATS,
    "subscribers.Reply": {},
    "subscribers.CaseFollow": {},
    "subscribers.FormerIdentity": {"uuid": SECRET},
    "subscribers.HeldSignup": {"address_hash": SECRET},
    "subscribers.CountedUnsubscribe": {
        "mailing": OURS,
        "subscriber_id": NUMBER,
        "at": "told as left_at of the issue whose link was used",
    },
    "subscribers.ImportRefusal": {"batch": OURS, "line": NUMBER, "kind": "the reason again, for counting"},
    "newsletter.Delivery": {"batch": OURS, "subscriber_id": NUMBER, "address_hash": SECRET},
    "newsletter.Exclusion": {"send": OURS},
    "newsletter.DeliveryException": {"at": "the batch's moment is told", "code": "the reason again, as a code"},
    "newsletter.Bounce": {"at": "the moment of the bounce is told with the delivery"},
    "newsletter.SenderDelay": {},
    "newsletter.WelcomeStep": {
        "mailing_list": "a private list is not named; the issue is",
        "step": "the name of the issue ends with it",
        "subscriber_id": NUMBER,
        "address_hash": SECRET,
    },
    "newsletter.TemplateMail": {
        "template_sha256": OURS,
        "api_key": OURS,
        "idempotency_key": OURS,
        "request_hash": "a code made from the request",
        "address_hash": SECRET,
    },
    "newsletter.InboundMail": {
        "key": OURS,
        "origin": "which mailbox or webhook of ours it came by",
        "once": SECRET,
        "read_at": "within seconds of when it was received",
        "raw": "kept only of a mail that cannot be read, of which nobody knows the sender",
        "cut": "whether its end is missing here",
        "sender_hash": SECRET,
    },
    "newsletter.CorrectedDelivery": {
        "delivery": OURS,
        "correction_delivery": OURS,
        "correction": OURS,
        "event": OURS,
        "fingerprint": "a code made from the event",
    },
}
"""The tables of people. Beside each the columns that are not told, and why; every other column is told."""
NOT_HELD = {
    "newsletter.CanaryMailbox": "a mailbox of the organisation's own, which is never a subscriber's",
    "subscribers.ConfirmationQuota": "counts mails to a mailbox by a code, for a day, so that nobody is bombed",
    "subscribers.RateCounter": "counts requests by a code, for an hour",
}
KEYS = {
    "place": ("country", "region", "city"),
    "mailing_list": ("list",),
    "bounce_class": ("kind",),
    "unsubscribed_at": ("left_at",),
    "delivery": (),
    "subscriber": (),
    "raw": ("line",),
    "key": ("attributes",),
    "value": ("attributes",),
}


def is_of_people(model: type[models.Model]) -> bool:
    for field in model._meta.concrete_fields:
        if field.name in ("address_hash", "subscriber_id", "raw"):
            return True
        if isinstance(field, models.ForeignKey) and field.related_model in (Subscriber, Delivery):
            return True
    return model is Subscriber


@pytest.mark.requirement("P5")
def test_every_table_of_people_is_exported_or_named_as_left_out() -> None:
    of_ours = (model for app in ("subscribers", "newsletter") for model in apps.get_app_config(app).get_models())
    found = {model._meta.label for model in of_ours if is_of_people(model)}
    assert found - set(TOLD) - set(NOT_HELD) == set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.requirement("P5")
def test_every_column_about_people_is_exported_or_listed_as_left_out() -> None:
    person = make_everything()
    keys = set(all_keys(describe_person(person, now=NOW)))
    for label, left_out in TOLD.items():
        model = apps.get_model(label)
        names = {field.name for field in model._meta.concrete_fields if not field.primary_key}
        assert set(left_out) <= names, f"{label} has no such column"
        for name in names - set(left_out):
            expected = KEYS.get(name, (name,))
            assert set(expected) <= keys, f"{label}.{name} is told nowhere"


@pytest.mark.django_db(transaction=True)
@pytest.mark.requirement("P5")
def test_a_record_has_location_attributes_lines_requests_and_issues() -> None:
    told = describe_person(make_everything(), now=NOW)
    assert told["attributes"] == {"shoe": "7"}
    assert told["refused_lines"] == [{"line": "ada@example.org,Ada", "reason": "too early"}]
    assert told["waiting_sign_ups"][0]["why"] == "many requests"  # type: ignore[index]
    (issue,) = told["issues_sent"]  # type: ignore[misc]
    assert issue["bounce"] == {"kind": "hard", "status": "5.1.1", "reason": ""}
    assert issue["delay"]["status"] == "4.7.28"
    assert told["suppressions"][0]["note"] == "asked by phone"  # type: ignore[index]


def make_everything() -> Subscriber:
    made = make_publication()
    make_story("The first verdict")
    add_subscribers(made, 1)
    start_send(issue=make_issue(made, approved=True), now=NOW)
    delivery = Delivery.objects.get()
    person = Subscriber.objects.get(pk=delivery.subscriber_id)
    Subscriber.objects.filter(pk=person.pk).update(
        email="ada@example.org", address_hash=identify("ada@example.org"), name="Ada"
    )
    person.refresh_from_db()
    DeliveryException.objects.create(delivery=delivery, at=NOW, bounced_at=NOW)
    Bounce.objects.create(delivery=delivery, bounce_class="hard", status="5.1.1", at=NOW)
    SenderDelay.objects.create(delivery=delivery, status="4.7.28", at=NOW)
    weekly = made.mailing_list
    MailedLink.objects.create(subscriber=person, mailing_list=weekly, kind="download", asked_at=NOW)
    CaseFollow.objects.create(subscriber=person, case=Case.objects.create(slug="river", name="River"), followed_at=NOW)
    StayQuestion.objects.create(subscriber=person, mailing_list=weekly, asked_at=NOW)
    Reply.objects.create(subscriber=person, replied_on=NOW, origin="staff", by="kim", recorded_at=NOW)
    FormerIdentity.objects.create(subscriber=person, uuid=uuid.uuid4(), at=NOW)
    ConsentEvent.objects.create(
        subscriber=person, address_hash=person.address_hash, mailing_list=weekly, kind="requested", at=NOW
    )
    first = set_up_welcome(publication=made, by=make_approver(), now=NOW)[0]
    WelcomeStep.objects.create(
        issue=first, mailing_list=weekly, step=1, subscriber_id=person.pk, address_hash=b"1" * 16, joined_at=NOW
    )
    TemplateMail.objects.create(
        template=make_mail_template(made),
        api_key=make_key(name="Shop", scope="mails:send", by="kim", now=NOW)[0],
        email=person.email,
        address_hash=person.address_hash,
        values={"amount": "£25"},
        asked_at=NOW,
    )
    make_waiting_reply(sender=person.email, sender_hash=bytes(person.address_hash))
    write_attributes([(person.pk, {"shoe": "7"})])
    Confirmation.objects.create(subscriber=person, mailing_list=weekly, requested_at=NOW)
    Suppression.objects.create(
        address_hash=person.address_hash, scope="all", reason="staff", at=NOW, note="asked by phone"
    )
    held = HeldSignup.objects.create(
        email=person.email, address_hash=person.address_hash, mailing_list=weekly, wording="Join", source="form",
        reason="many requests", at=NOW,
    )  # fmt: skip
    held.topics.add(Topic.objects.create(slug="land", name="Land"))
    batch = ImportBatch.objects.create(mailing_list=weekly, by="kim", started_at=NOW)
    ImportRefusal.objects.create(batch=batch, line=2, raw="ada@example.org,Ada", reason="too early")
    return person


def all_keys(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for inner in value.values() for key in all_keys(inner))]
    return [key for inner in value for key in all_keys(inner)] if isinstance(value, list) else []


@pytest.mark.django_db
@pytest.mark.requirement("P5")
def test_a_persons_own_export_does_not_name_a_private_list() -> None:
    hidden = make_list("witnesses", public=False)
    ada = make_member(hidden)
    set_frequencies(subscriber=ada, frequencies={hidden: Frequency.EVENTS}, now=NOW)
    unsubscribe_from_list(subscriber=ada, mailing_list=hidden, now=NOW)
    assert "witnesses" in json.dumps(describe_person(ada, now=NOW))
    given = json.dumps(describe_person(ada, now=NOW, for_subscriber=True))
    assert "itnesses" not in given
    assert given.count("this newsletter") == 4
