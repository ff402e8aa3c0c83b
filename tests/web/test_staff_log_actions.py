"""Each action of staff is in the staff log, with its person. A page that posts needs a case here."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import get_resolver
from django.utils import timezone
from wagtail.log_actions import registry

from newsletter.desk.editor.check_panel import checks_context
from newsletter.desk.editor.preview import MAX_MODES
from newsletter.desk.home.checked_events import hash_unsure_events, list_unsure_events
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import AuditEntry, Batch, Issue, Publication, SavedBlock, Send
from newsletter.sending.settling.retry_refused import list_refusals
from subscribers.exporting.export_requests import allow_export, request_export
from subscribers.importing.writing.import_steps import process_pending_imports
from subscribers.models import ExportRequest, HeldSignup, ImportBatch, MailingList, Subscriber
from tests.support.aggregate_reports import make_report
from tests.support.canaries import ADDRESS, CanaryServer
from tests.support.desk import PASSWORD, audience_fields, sign_in
from tests.support.desk_pages import fill, make_desk_rows  # noqa: F401  a fixture
from tests.support.desk_routes import DECIDED, POSTED_TOO, SETUP_STEPS, list_desk_routes
from tests.support.fixtures import make_event
from tests.support.imap_server import run_imap_server
from tests.support.inbound_mails import make_waiting_reply

pytestmark = pytest.mark.django_db
Fields = dict[str, object]
_MAIL_SERVER = CanaryServer()
ELSEWHERE = {
    "newsletter_setup_brand": "wagtail.create",
    "newsletter_setup_list": "wagtail.create",
    "newsletter_setup_proof": "newsletter.proof",
    "newsletter_setup_publication": "wagtail.create",
    **{f"newsletter_setup_skip {step}": "newsletter.setup_skipped" for step in SETUP_STEPS},
    "newsletter_setup_source": "wagtail.create",
    "newsletter_source_find": "wagtail.create",
    "wagtailusers_users:add": "newsletter.invited",
    "wagtailusers_users:edit": "newsletter.role_changed",
    "wagtailusers_users:factor": "newsletter.factor_forgotten",
    "wagtailusers_users:link": "newsletter.link_made",
    "newsletter_event_announce": "newsletter.announce_change",
    "newsletter_event_places": "newsletter.answer_location_question",
    "newsletter_issue_acknowledge": "newsletter.acknowledge",
    "newsletter_issue_delete": "newsletter.delete",
    "newsletter_issue_subject_test": "newsletter.subject_test",
    "newsletter_issue_step remove-subject-test": "newsletter.remove_subject_test",
    "newsletter_send_step choose-subject": "newsletter.choose_subject",
    "newsletter_issue_new": "newsletter.create",
    "newsletter_issue_restore": "newsletter.restore",
    "newsletter_protected_terms": "newsletter.protected_added",
    "newsletter_welcome_set_up": "newsletter.welcome_set_up",
    "newsletter_welcome_step days": "newsletter.welcome_days",
}
"""Pages whose data this test does not make. Their log action must exist."""
NOTHING_CHANGES = {
    "newsletter_notices",
    "newsletter_setup_brand_sample",
    "newsletter_setup_domain",
    "newsletter_setup_provider",
}
"""Pages that only show a sample, ask DNS or a provider, or mark one's own notices as read."""


@pytest.fixture(autouse=True)
def _no_attempts_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def _get_issue() -> Issue:
    return Issue.objects.get(kind="issue")


def _issue(**fields: object) -> Callable[[], Fields]:
    def prepare() -> Fields:
        Send.objects.update(state="cancelled")
        Issue.objects.filter(pk=_get_issue().pk).update(**fields)
        return {"reason": "The date is wrong.", **audience_fields(_get_issue())}

    return prepare


def _seen() -> Fields:
    _issue(state="draft")()
    _get_issue().approvals.all().delete()
    issue = _get_issue()
    unseen = [check.name for check in checks_context(issue, limit=MAX_MODES)["unacknowledged"]]
    shown = {"sha256": hash_content(resolve_content(issue)), **audience_fields(issue)}
    return {**shown, "looked": "1", "warning": unseen}


def _complete() -> Fields:
    Send.objects.update(state="cancelled")
    Batch.objects.update(state="pending")
    Issue.objects.filter(pk=_get_issue().pk).update(state="cancelled")
    return {}


def _correct() -> Fields:
    Send.objects.update(state="submitted")
    Batch.objects.update(state="accepted", settled_at=timezone.now())
    Issue.objects.filter(pk=_get_issue().pk).update(state="sent")
    return {"text": "It starts at ten."}


def _retry() -> Fields:
    Send.objects.update(state="submitted")
    Batch.objects.update(state="rejected", reason="not now", settled_at=timezone.now())
    return {"reasons": [refusal.key for refusal in list_refusals(Send.objects.get(issue=_get_issue()))]}


def _move_account() -> Fields:
    Send.objects.update(state="paused")
    Batch.objects.update(state="pending", account="removed", handed_to="")
    return {"account": "default"}


def _insert() -> Fields:
    _issue(state="draft")()
    return {"saved": SavedBlock.objects.get().pk, "position": "end"}


def _welcome(**fields: object) -> Callable[[], Fields]:
    def prepare() -> Fields:
        Issue.objects.filter(kind="welcome").update(**fields)
        return {}

    return prepare


def _send(state: str, batch: str = "pending") -> Callable[[], Fields]:
    def prepare() -> Fields:
        Send.objects.update(state=state, reason="asked")
        Batch.objects.update(state=batch, reason="", settled_at=None)
        return {"reason": "asked"}

    return prepare


def _proof() -> Fields:
    _issue(state="draft")()
    return {"readers": "0.none", "to": User.objects.get(username="writer@example.org").pk}


def _import(state: str) -> Callable[[], Fields]:
    def prepare() -> Fields:
        ImportBatch.objects.update(state=state, basis="consent", evidence="Sheet", mapping=["email"])
        if state == "running":
            process_pending_imports(clock=timezone.now)
        return {}

    return prepare


def _export(*, allowed: bool = False) -> Callable[[], Fields]:
    def prepare() -> Fields:
        me, other = (
            User.objects.get(username="data@example.org"),
            User.objects.create(username="other@example.org", is_superuser=True),
        )
        by = me if allowed else other
        asked = request_export(by=by, mailing_list=None, reason="Print", has_bom=False, now=timezone.now())
        ExportRequest.objects.update(without_approval=False)
        if allowed:
            allow_export(request=asked, by=other, now=timezone.now() - timedelta(minutes=1))
        return {"password": PASSWORD}

    return prepare


@pytest.fixture(autouse=True, scope="module")
def _mail_server() -> Iterator[None]:
    with run_imap_server(_MAIL_SERVER):
        yield


def _canary() -> Fields:
    return {"address": "new@mailboxes.example.net", "host": "127.0.0.1", "port": _MAIL_SERVER.port, "password": "a"}


def _reply() -> Fields:
    return {"done": make_waiting_reply().pk}


def _unsure_events() -> Fields:
    make_event("Unsure evening", starts_at=timezone.now() + timedelta(days=2), note="No place.")
    return {"seen": hash_unsure_events(list_unsure_events(now=timezone.now()))}


ACTIONS: dict[str, Callable[[], Fields]] = {
    "newsletter_events_checked": _unsure_events,
    "newsletter_slot_checked": dict,
    "newsletter_issue_people": lambda: {"q": Subscriber.objects.all()[0].email},
    "newsletter_issue_proof": _proof,
    "newsletter_issue_close": _issue(state="draft"),
    "newsletter_issue_complete": _complete,
    "newsletter_issue_correct": _correct,
    "newsletter_send_account": _move_account,
    "newsletter_send_retry": _retry,
    "newsletter_issue_reassemble": _issue(state="draft"),
    "newsletter_issue_time": lambda: {**_issue(state="draft")(), "due": "2099-01-01T09:00"},
    "newsletter_issue_translate": _issue(state="draft"),
    "newsletter_issue_withdraw_to_edit": _issue(state="approved"),
    "newsletter_block_insert": _insert,
    "newsletter_block_save": lambda: {"block": _get_issue().body[0].id, "name": "The first"},
    "newsletter_template_save": lambda: {"name": "A plain week"},
    "newsletter_saved_rename": lambda: {"name": "The old lead"},
    "newsletter_saved_delete": dict,
    "newsletter_comment_add": lambda: {"text": "Is this right?"},
    "newsletter_comment_answer": lambda: {"text": "It is."},
    "newsletter_comment_step resolve": dict,
    "newsletter_comment_step reopen": dict,
    "newsletter_story_use": lambda: {"publication": "all"},
    "newsletter_issue_step approve": _seen,
    "newsletter_issue_step ask": _issue(state="draft"),
    "newsletter_issue_step withdraw": _issue(state="approved"),
    "newsletter_issue_step hold": _issue(state="approved"),
    "newsletter_issue_step release": _issue(state="approved", held=True, held_reason="The date is wrong."),
    "newsletter_issue_step check-links": _issue(state="draft"),
    "newsletter_welcome_step pause": _welcome(state="approved"),
    "newsletter_welcome_step resume": _welcome(state="approved", held=True),
    "newsletter_welcome_step turn-off": _welcome(state="approved"),
    "newsletter_send_step start": _issue(state="approved"),
    "newsletter_send_step pause": _send("submitting"),
    "newsletter_send_step go-on": _send("paused"),
    "newsletter_send_step cancel": _send("submitting"),
    "newsletter_send_step no-canary": _send("submitting"),
    "newsletter_send_step end": _send("needs_attention", batch="accepted"),
    "newsletter_batch_step took": dict,
    "newsletter_batch_step leave": dict,
    "newsletter_batch_step again": dict,
    "subscribers_reply": lambda: {"replied_on": "2026-03-02"},
    "subscribers_correct_address": lambda: {"email": "ada.corrected@example.org"},
    "subscribers_rename": lambda: {"name": "Ada L."},
    "subscribers_suppress": lambda: {"why": "asked by phone"},
    "subscribers_remove_suppression": lambda: {"why": "asked by phone to get it again"},
    "subscribers_person_data": dict,
    "subscribers_reveal": dict,
    "subscribers_export_step allow": _export(),
    "subscribers_export_step take": _export(allowed=True),
    "subscribers_import_step run": _import("checked"),
    "subscribers_import_step undo": _import("running"),
    "subscribers_import_step discard": _import("checked"),
    "newsletter_api_keys": lambda: {"name": "Web site", "scope": "read"},
    "newsletter_mails": lambda: {"name": "A place", "publication": Publication.objects.all()[0].pk},
    "newsletter_mail_template": lambda: {"step": "withdraw"},
    "newsletter_canaries": _canary,
    "newsletter_canary": lambda: {"address": ADDRESS, "host": "127.0.0.1", "port": "9", "user": "replies"},
    "newsletter_webhooks": lambda: {"name": "CRM", "url": "https://127.0.0.1/"},
    "newsletter_webhook": lambda: {"step": "on"},
    "newsletter_replies": _reply,
    "newsletter_gifts": lambda: {"file": SimpleUploadedFile("gifts.csv", b"id,amount,currency,date,utm_campaign\n")},
    "newsletter_dmarc": lambda: {"reports": SimpleUploadedFile("a.xml", make_report(ends=timezone.now()))},
    "newsletter_limits": lambda: {"mails_in_7_days": "3", "questions_per_day": "500"},
    "newsletter_story_withdraw": lambda: {"reason": "They asked us to."},
    "subscribers_export": lambda: {"mailing_list": "", "reason": "Print", "password": PASSWORD},
    "subscribers_held": lambda: {"out": HeldSignup.objects.get().pk},
    "subscribers_import_new": lambda: {
        "file": SimpleUploadedFile("people.csv", b"email\nbea@example.org\n"),
        "mailing_list": MailingList.objects.all()[0].pk,
    },
    "subscribers_import_terms": lambda: {
        "kind": "join",
        "basis": "consent",
        "evidence": "Sheet",
        "encoding": "utf-8",
        "column_0": "email",
    },
    "subscribers_why_in_segment": lambda: {"address": Subscriber.objects.all()[0].email},
    "subscribers_details": lambda: {"town": "", "giving": "donor"},
    "subscribers_erase": dict,
    "wagtailsnippets_newsletter_publication:archive": lambda: {"ended": Send.objects.update(state="cancelled")},
    "wagtailsnippets_newsletter_brand:archive": dict,
    "wagtailsnippets_subscribers_mailinglist:archive": lambda: {
        "archived": Publication.objects.update(archived=True, enabled=False)
    },
    "wagtailsnippets_subscribers_segment:archive": dict,
}


@pytest.mark.requirement("G10")
def test_every_page_that_posts_has_a_case_here() -> None:
    assert {*DECIDED, *POSTED_TOO} - {*ACTIONS, *ELSEWHERE, *NOTHING_CHANGES} == set()
    assert all(registry.action_exists(action) for action in ELSEWHERE.values())


@pytest.mark.long
@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.requirement("G10")
def test_each_action_is_in_the_staff_log_with_its_person(name: str, desk: Fields) -> None:
    routes = dict(list_desk_routes(get_resolver()))
    may = (DECIDED | POSTED_TOO)[name].split()
    client = sign_in(role := "approver" if "approver" in may and "data" not in may else may[0])
    sign_in("writer")
    fields = ACTIONS[name]()
    newest = AuditEntry.objects.latest("pk").pk
    client.post(fill(routes[name], name.partition(" ")[2], {**desk, **_address(name)}), fields)
    entries = AuditEntry.objects.filter(pk__gt=newest, user__username=f"{role}@example.org")
    assert entries.exists(), f"{name} wrote nothing"


def _address(name: str) -> dict[str, str]:
    """Return the address of a row that the case made."""
    return (
        {"admin/^people/download": str(ExportRequest.objects.get().pk)}
        if name.startswith("subscribers_export_")
        else {}
    )
