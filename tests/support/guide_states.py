"""Bring the demo into states that pictures of the staff guide show: a decided subject test, gifts, a silent person."""

import json
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.db.models.query import QuerySet
from django.utils import timezone

from newsletter.feedback.gifts import ReportedGift, record_gifts
from newsletter.inbound.settings import parse_sources
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.mail_links import name_campaign
from newsletter.jobs.silent_people import ask_and_rest, send_due_questions
from newsletter.models import (
    Appeal,
    Delivery,
    DeliveryException,
    InboundForward,
    InboundMail,
    Issue,
    MailboxReading,
    MailLimits,
    Send,
    SubjectTest,
)
from newsletter.models.feedback import Bounce
from newsletter.providers.registry import OUTBOX
from subscribers.links.signed_links import Purpose
from subscribers.models import ConsentEvent, StayQuestion, Subscriber, Subscription
from tests.support.inbound_mails import UNREAD_MAILBOX, make_waiting_reply
from tests.support.outbox import find_mails
from tests.support.people import path_to

_TESTED = [{"people": 612, "responses": 9}, {"people": 598, "responses": 31}]
_GIFTS = ((40, "appeal"), (25, "appeal"), (12, "lead_story"), (60, "footer"))
_CAME_IN = {"reply": 31, "automatic": 14, "unsubscribe": 6, "bounce": 4}
SILENT_PEOPLE = 24


def print_states() -> None:
    """Make the states and print the addresses of their pages as JSON."""
    now = timezone.now()
    sent = Issue.objects.filter(publication__slug="weekly").earliest("pk")
    test = SubjectTest.objects.earliest("pk")
    SubjectTest.objects.filter(pk=test.pk).update(
        issue=sent, decided_at=now, winner=2, outcome="better", measure="replies", results=_TESTED
    )
    positions = {block.type: place for place, block in enumerate(resolve_content(sent).blocks, 1)}
    gifts = [
        ReportedGift(
            reference=f"gift-{number}",
            amount=Decimal(amount),
            currency="GBP",
            given_on=timezone.localdate(),
            campaign=name_campaign(sent.reference),
            block=kind if kind == "footer" else f"{kind}-{positions[kind]}",
        )
        for number, (amount, kind) in enumerate(_GIFTS)
    ]
    record_gifts(gifts, by="a file", now=now)
    _make_silent(sent, before=now - timedelta(days=900))
    person = StayQuestion.objects.earliest("pk").subscriber
    mailing_list = sent.publication.mailing_list
    mails = _report_mails(sent)
    _receive_mails(sent, now=now)
    states = {
        "subject-result": f"/admin/issues/{sent.pk}/report/",
        "raised": f"/admin/issues/{sent.pk}/report/",
        "appeal": f"/admin/appeals/edit/{Appeal.objects.filter(audience='donor').earliest('pk').pk}/",
        "preferences": path_to(person, mailing_list, Purpose.PREFERENCES),
        "person-mails": f"/admin/people/{mails}/",
        "mail-that-comes-in": "/admin/replies/",
        "sent-mail": f"/admin/people/{mails}/issues/{sent.pk}/mail/",
        "stay": path_to(person, mailing_list, Purpose.STAY),
    }
    sys.stdout.write(json.dumps(states))


def print_question() -> None:
    """Ask one silent person whether they still want mail. Print the HTML of that mail."""
    now = timezone.localtime().replace(hour=12)
    _make_silent(Issue.objects.filter(publication__slug="weekly").earliest("pk"), before=now - timedelta(days=900))
    MailLimits.objects.update(silent_months=24, questions_per_day=1)
    ask_and_rest(now=now)
    send_due_questions(now=now)
    person = StayQuestion.objects.latest("pk").subscriber
    mail = find_mails(Path(settings.NEWSLETTER_DATA_DIR) / "outbox", to=person.email)[0]
    body = mail.get_body(("html",))
    assert body is not None
    sys.stdout.write(body.get_content())


def _report_mails(issue: Issue) -> int:
    """Let a provider have sent the issue, and one mail have bounced. Return the row of the person who did not get it."""
    Send.objects.filter(provider=OUTBOX).update(provider="mailgun (news.example.org)")
    bounced = Delivery.objects.filter(batch__send__issue=issue, exception=None).order_by("-pk").first()
    assert bounced is not None
    at = timezone.now()
    DeliveryException.objects.create(delivery=bounced, at=at, bounced_at=at)
    Bounce.objects.create(delivery=bounced, bounce_class="soft", status="4.2.2", reason="The mailbox is full", at=at)
    return int(bounced.subscriber_id)


def _receive_mails(issue: Issue, *, now: datetime) -> None:
    """Let the mailbox have been read, and mails have come in: one reply could not be forwarded."""
    for mailbox in parse_sources([UNREAD_MAILBOX]).mailboxes:
        MailboxReading.objects.create(label=mailbox.label, read_at=now)
    InboundMail.objects.all().delete()
    for kind, mails in _CAME_IN.items():
        for number in range(mails):
            key = f"{kind}-{number}"
            InboundMail.objects.create(key=key, origin="imap", state="done", kind=kind, received_at=now, read_at=now)
    mail = make_waiting_reply(
        publication=issue.publication,
        issue=issue,
        subject=f"Re: {issue.subject}",
        text="Thank you! I can come on Thursday.",
    )
    refusal = "The mailbox is full"
    InboundForward.objects.create(mail=mail, email=issue.publication.reply_to or "office@example.org", refusal=refusal)


def _make_silent(issue: Issue, *, before: datetime) -> None:
    """Let some people of the issue's list have joined long ago, and nothing after it."""
    joined = Subscription.objects.filter(mailing_list=issue.publication.mailing_list, ended_at=None).order_by("-pk")
    people = list(joined.values_list("subscriber", flat=True)[:SILENT_PEOPLE])
    Subscriber.objects.filter(pk__in=people).update(created_at=before)
    Subscription.objects.filter(subscriber__in=people).update(requested_at=before, confirmed_at=before)
    # The log is append-only. This is a picture of people whose last sign of life is old.
    QuerySet(ConsentEvent).filter(subscriber__in=people).update(at=before)
