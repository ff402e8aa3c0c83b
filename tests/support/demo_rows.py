"""Rows that the demo does not have, for the desk's pages that show them. `print_rows` runs beside a demo."""

import json
import sys
from datetime import timedelta
from io import BytesIO

from django.contrib.auth.models import User
from django.core.files.images import ImageFile
from django.db import transaction
from django.utils import timezone
from wagtail.images.models import Image
from wagtail.users.models import UserProfile

from newsletter.api_keys import make_key
from newsletter.content.images.hosting import host_staff_image
from newsletter.demo.sample_week import LOGIN
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.issues.comments.comment import add_comment
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.issues.planning.welcome import set_up_welcome
from newsletter.issues.reuse.saved_blocks import save_block
from newsletter.models import (
    Appeal,
    Brand,
    Delivery,
    DeliveryException,
    EventNotice,
    Issue,
    MailLimits,
    MailTemplate,
    Publication,
    Send,
    Source,
    Story,
    SubjectTest,
)
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.send_controls import cancel_send
from subscribers.identity import identify
from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.importing.writing.import_steps import create_draft_import
from subscribers.models import (
    Basis,
    Case,
    HeldSignup,
    ImportBatch,
    MailingList,
    Segment,
    StayQuestion,
    Subscriber,
    Topic,
)
from tests.support.aggregate_reports import keep_sample_reports
from tests.support.canaries import make_sample_results
from tests.support.drawing import draw
from tests.support.inbound_mails import make_waiting_reply
from tests.support.webhooks import make_answered_endpoint

SPANISH_STAFF = "escritorio@example.org"


def print_rows() -> None:
    """Make the rows, a member of staff whose desk is in Spanish, and print the addresses' parts as JSON.

    The parts are those that `tests.support.desk_pages.fill` takes. A key that names a route is for that route only.
    One transaction makes the sends, so that the engine beside us finds each ended or stopped.
    """
    staff, now = User.objects.get(email=LOGIN.email), timezone.now()
    second = add_spanish_staff(staff)
    waiting = Issue.objects.exclude(publication__slug="weekly").earliest("pk")
    sent = Issue.objects.filter(publication__slug="weekly").earliest("pk")
    MailLimits.objects.update(mails_in_7_days=None)
    with transaction.atomic():
        approved, stopped, cancelled = (
            copy_and_approve(waiting, letter, by=staff, approver=second) for letter in "abc"
        )
        send = start_send(issue=stopped, now=now)
        send.batches.update(state="uncertain", reason="the worker was lost", settled_at=now)
        Send.objects.filter(pk=send.pk).update(state=Send.State.NEEDS_ATTENTION)
        cancel_send(send=start_send(issue=cancelled, now=now), by=staff, now=now)
    refused = Delivery.objects.filter(batch__send__issue=sent, exception__isnull=True, proof=False).earliest("pk")
    DeliveryException.objects.create(delivery=refused, state="rejected", reason="The provider was down.", at=now)
    translated = copy_issue(sent, "d", by=staff)
    tested = copy_issue(waiting, "e", by=staff)
    SubjectTest.objects.create(
        issue=tested,
        subjects=[{"subject": "Another subject", "preheader": "And what inboxes show after it"}],
        number_of_subjects=2,
        share_percent=20,
        wait_hours=4,
        seed=1,
    )
    set_up_welcome(publication=sent.publication, by=staff, now=now)
    Story.objects.filter(pk__in=Story.objects.values("pk")[:3]).update(
        case=Case.objects.create(slug="river", name="The river case")
    )
    Publication.objects.filter(pk=sent.publication_id).update(languages=["es"])
    block = waiting.body.get_prep_value()[0]["id"]
    saved = save_block(issue=waiting, block=block, name="The lead", by=staff, now=now)
    comment = add_comment(issue=waiting, text="Is this right?", by=second, now=now)
    mailing_list = MailingList.objects.earliest("pk")
    upload = {"mailing_list": mailing_list, "by": staff.email}
    draft = create_draft_import(file=BytesIO(b"email\nnew@example.org\n"), name="people.csv", now=now, **upload)
    import_people(
        PeopleFile(content=BytesIO(b"email\nold@example.org\nnobody\n")),
        terms=ConsentTerms(basis=Basis.CONSENT, evidence="Sheet of the fair"),
        **upload,
    )
    done = ImportBatch.objects.latest("pk")
    HeldSignup.objects.create(
        email="new@example.org",
        address_hash=identify("new@example.org"),
        mailing_list=mailing_list,
        wording="Yes",
        source="a form",
        reason="too many",
        at=now,
    )
    make_waiting_reply()
    keep_sample_reports(now=now)
    person = Subscriber.objects.filter(subscriptions__mailing_list=sent.publication.mailing_list).earliest("pk")
    StayQuestion.objects.create(
        subscriber=person, mailing_list=mailing_list, asked_at=now - timedelta(days=9), sent_at=now - timedelta(days=9)
    )
    rows = {
        "admin/^issues": waiting.pk,
        "admin/issues": waiting.pk,
        "admin/issues/history": waiting.pk,
        "admin/^saved": saved.pk,
        "admin/people": person.pk,
        "admin/people/imports": draft.pk,
        "admin/images": make_mailed_image().pk,
        "admin/api-keys": make_key(name="Shop", scope="people:read", by="admin", now=now)[0].pk,
        "admin/mails": str(MailTemplate.objects.get().pk),
        "admin/canaries": make_sample_results(send, now=now).pk,
        "admin/webhooks": make_answered_endpoint(now=now).pk,
        "batch": send.batches.earliest("pk").pk,
        "comment": comment.pk,
        "newsletter_decide": make_decision(waiting, person=staff),
        f"newsletter_decide {SPANISH_STAFF}": make_decision(waiting, person=second),
        "wagtailusers_users:delete": User.objects.create(username="left@example.org", email="left@example.org").pk,
        "kind": "block",
        "name": "0.none",
        "other": "0.none",
        "part": "mail",
        "issue": sent.pk,
        "revision_id": waiting.latest_revision_id,
        "language": "es",
        "newsletter_issue_translate": translated.pk,
        "newsletter_issue_delete": translated.pk,
        "newsletter_issue_subject_test": tested.pk,
        "newsletter_report": sent.pk,
        "newsletter_issue_complete": cancelled.pk,
        "newsletter_issue_correct": sent.pk,
        "newsletter_send_retry": sent.pk,
        "newsletter_send_ask start": approved.pk,
        "newsletter_send_ask cancel": stopped.pk,
        "newsletter_batch_ask again": stopped.pk,
        "newsletter_batch_ask leave": stopped.pk,
        "newsletter_batch_ask took": stopped.pk,
        "subscribers_import": done.pk,
        "subscribers_import_undo": done.pk,
        **{f"admin/{part}": model.objects.earliest("pk").pk for part, model in FIRST_ROWS.items()},
    }
    sys.stdout.write(json.dumps({part: str(key) for part, key in rows.items()}))


def print_paused() -> None:
    """Make a paused send whose people wait for an account, and staff whose desk is in Spanish. Print its issue's key.

    If the demo has another account, staff can move these people.
    """
    staff = User.objects.get(email=LOGIN.email)
    waiting = Issue.objects.exclude(publication__slug="weekly").earliest("pk")
    with transaction.atomic():
        paused = copy_and_approve(waiting, "a", by=staff, approver=add_spanish_staff(staff))
        send = start_send(issue=paused, now=timezone.now())
        Send.objects.filter(pk=send.pk).update(state=Send.State.PAUSED)
    sys.stdout.write(str(paused.pk))


FIRST_ROWS = {
    "stories": Story,
    "events": EventNotice,
    "appeals": Appeal,
    "sources": Source,
    "publications": Publication,
    "brand": Brand,
    "lists": MailingList,
    "topics": Topic,
    "cases": Case,
    "segments": Segment,
    "users": User,
}


def add_spanish_staff(like: User) -> User:
    """Add an administrator with the rights and the password of another, whose desk is in Spanish."""
    person = User.objects.create(username=SPANISH_STAFF, email=SPANISH_STAFF, is_superuser=like.is_superuser)
    User.objects.filter(pk=person.pk).update(password=like.password, is_staff=like.is_staff)
    person.groups.set(like.groups.all())
    UserProfile.objects.update_or_create(user=person, defaults={"preferred_language": "es"})
    return User.objects.get(pk=person.pk)


def make_decision(issue: Issue, *, person: User) -> str:
    """Return the token of the link that leads this person from a mail to the decision about the issue."""
    url = make_decision_url(issue=issue.public_id, sha256=issue.public_id, person=person.pk, now=timezone.now())
    return url.rstrip("/").rpartition("/")[2]


def copy_and_approve(original: Issue, letter: str, *, by: User, approver: User) -> Issue:
    copy = copy_issue(original, letter, by=by)
    approve_issue(issue=copy, by=approver, now=timezone.now())
    return copy


def copy_issue(original: Issue, letter: str, *, by: User) -> Issue:
    return create_issue(
        publication=original.publication,
        beginning=Beginning.COPY,
        original=original,
        segment=None,
        due="",
        public_id=letter * 24,
        by=by,
        now=timezone.now(),
    )


def make_mailed_image() -> Image:
    """Return an upload with a copy for mails, which staff can take out of delivered mails when they delete it."""
    image = make_image()
    host_staff_image(image)
    return image


def make_image() -> Image:
    file = ImageFile(BytesIO(draw(1200, 800)), name="harbour.jpg")
    return Image.objects.create(title="A harbour", description="Boats", file=file)
