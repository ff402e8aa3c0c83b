"""The overview page of one issue: decision, send, delivery summary, checks, versions, proofs, and choice of content."""

from datetime import datetime
from http import HTTPStatus
from typing import TypedDict

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.generic import View

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.desk.editor.check_panel import ChecksContext, checks_context
from newsletter.desk.editor.preview import MAX_MODES, show_mail_part
from newsletter.desk.issues.approval import ApprovalContext, approval_context
from newsletter.desk.issues.audience.recipient_counts import count_audience_for_page
from newsletter.desk.issues.comments.threads import CommentsContext, comments_context
from newsletter.desk.issues.correction_links import CorrectionsContext, corrections_context
from newsletter.desk.issues.issue_page import (
    ISSUES,
    IssueHeadContext,
    IssuePage,
    IssuePermissionMixin,
    issue_head_context,
)
from newsletter.desk.issues.languages.language_gaps import NO_LANGUAGES, LanguagesContext, languages_context
from newsletter.desk.issues.proofs import ProofsContext, proofs_context
from newsletter.desk.notices.pages import mark_read
from newsletter.desk.preview.panel import show_or_explain
from newsletter.desk.publications.panels import find_archive_url
from newsletter.desk.sends.accounts import AccountsContext, accounts_context, can_move
from newsletter.desk.sends.people.refused import RefusedContext, refused_context
from newsletter.desk.sends.people.uncertain import UncertainContext, uncertain_context
from newsletter.desk.sends.people.unreached import UnreachedContext, unreached_context
from newsletter.desk.sends.progress import SendContext, find_stopped_send, send_context
from newsletter.desk.sends.subject_test import SubjectTestContext, subject_test_context
from newsletter.desk.shell.labels import label_deliveries, label_exclusions
from newsletter.feedback.report import knows_failures
from newsletter.issue_checks.variant_groups import find_issue_content
from newsletter.issues.assembly.reassemble import is_made_by_rules
from newsletter.issues.assembly.selection import Reason
from newsletter.issues.assembly.selection_reasons import explain_candidates
from newsletter.models import Issue, Send, Story
from newsletter.providers.registry import OUTBOX, name_provider
from newsletter.sending.mails_with_story import find_withdrawn_in
from newsletter.sending.settling.receipt import Receipt, make_receipt


class ReasonsContext(TypedDict):
    """Why each candidate was included or left out, and if the rules can choose again."""

    can_reassemble: bool
    reasons_in: list[Reason]
    reasons_out: list[Reason]


class DeliveryContext(TypedDict, total=False):
    """The context of desk/receipt.html. ``excluded`` and ``deliveries`` are (people, label)."""

    candidates: int
    recipients: int
    excluded: list[tuple[int, str]]
    receipt: Receipt
    nothing_accepted: bool
    receipt_error: str
    to_files: bool
    knows_failures: bool
    deliveries: list[tuple[int, str]]


class OverviewLinks(TypedDict):
    """``measures_links`` is True if a job checks where links lead."""

    measures_links: bool
    edit_url: str
    history_url: str
    archive_url: str


class OverviewContext(
    IssueHeadContext,
    OverviewLinks,
    ReasonsContext,
    SendContext,
    UncertainContext,
    DeliveryContext,
    ChecksContext,
    ApprovalContext,
    ProofsContext,
    CommentsContext,
    LanguagesContext,
    UnreachedContext,
    CorrectionsContext,
    RefusedContext,
    SubjectTestContext,
    AccountsContext,
):
    """The context of desk/issue_overview.html and of the templates that it includes.

    ``month_send`` is the send of a welcome mail, if it is paused or needs attention.
    """

    month_send: Send | None
    can_move: bool
    provider_name: str
    withdrawn_stories: list[Story]


class IssueOverview(IssuePage):
    template_name = "desk/issue_overview.html"
    header_icon = "mail"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        if response.status_code == HTTPStatus.OK:
            mark_read(request.user, issue=self.issue)
        return response

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), **self._overview_context()}

    def _overview_context(self) -> OverviewContext:
        issue, now = self.issue, timezone.now()
        user: User | AnonymousUser = self.request.user
        head = issue_head_context(issue, user=user, now=now)
        send = head["send"]
        delivery = delivery_context(issue, send)
        checks = checks_context(issue, limit=MAX_MODES)
        approval = approval_context(issue, user=user, sha256=checks.get("sha256", ""), people=delivery["recipients"])
        month_send = find_stopped_send(issue) if issue.is_welcome else None
        shown_send = send or month_send
        in_progress: SendContext = send_context(shown_send, now=now) if shown_send else {}
        return {
            **head,
            "month_send": month_send,
            "measures_links": settings.NEWSLETTER_LINK_CHECKS,
            "edit_url": reverse("wagtailsnippets_newsletter_issue:edit", args=[issue.pk]),
            "history_url": reverse("newsletter_issue_revisions", args=[issue.pk]),
            "archive_url": find_archive_url(issue, now=now) if send else "",
            **reasons_context(issue, is_open=head["is_open"], now=now),
            **in_progress,
            **uncertain_context(shown_send, user=user),
            **delivery,
            **checks,
            **approval,
            **proofs_context(issue, request=self.request),
            **comments_context(issue),
            **(languages_context(issue, now=now) if head["is_open"] else NO_LANGUAGES),
            **unreached_context(issue),
            **corrections_context(issue),
            **refused_context(shown_send, user=user, now=now),
            **subject_test_context(issue, send=send, user=user),
            **accounts_context(shown_send, delivery.get("receipt"), now=now),
            "provider_name": name_provider(send.provider) if send else "",
            "withdrawn_stories": list(find_withdrawn_in(send)) if send else [],
            "can_move": shown_send is not None and can_move(shown_send),
        }


def reasons_context(issue: Issue, *, is_open: bool, now: datetime) -> ReasonsContext:
    """Return the reasons as of now while the issue can change, and those of its assembly afterwards."""
    stored = [
        Reason(**{"kind": "", "id": 0, "title": "", "chosen": False, "why": "", **stored_reason})
        for stored_reason in issue.reasons
    ]
    reasons = (explain_candidates(issue, now=now) if is_open and stored else []) or stored
    return {
        "can_reassemble": is_open and is_made_by_rules(issue),
        "reasons_in": [reason for reason in reasons if reason.chosen],
        "reasons_out": [reason for reason in reasons if not reason.chosen],
    }


def delivery_context(issue: Issue, send: Send | None) -> DeliveryContext:
    """Return the audience as of now, or the delivery summary once the recipient list is locked."""
    if send is None or send.state == Send.State.PREPARING:
        count = count_audience_for_page(issue)
        return {
            "candidates": count.candidates,
            "recipients": count.eligible,
            "excluded": label_exclusions(count.excluded),
        }
    try:
        receipt = make_receipt(send)
    except DomainError as error:
        return {"receipt_error": translate(error), "candidates": send.candidates, "recipients": send.recipients}
    return {
        "candidates": receipt.candidates,
        "recipients": receipt.recipients,
        "excluded": label_exclusions(receipt.excluded),
        "receipt": receipt,
        "nothing_accepted": not receipt.deliveries.get("accepted"),
        "to_files": send.provider == OUTBOX,
        "knows_failures": knows_failures(send, receipt),
        "deliveries": label_deliveries(receipt, to_files=send.provider == OUTBOX),
    }


class IssueMail(IssuePermissionMixin, View):
    """One part of the mail of one group or person, for an iframe or a new tab."""

    def get(self, request: HttpRequest, pk: int, mode: str) -> HttpResponse:
        issue = get_object_or_404(ISSUES, pk=pk)

        def show(name: str) -> HttpResponse:
            return show_mail_part(find_issue_content(issue), mode=name, request=request)

        return show_or_explain(show, mode, request=request)
