"""Proofs of an issue: the form on its page, and what became of each proof."""

from collections.abc import Collection, Iterable
from typing import TypedDict, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.staff_pages import ServiceAction, take_refused_values
from newsletter.desk.issues.issue_page import ISSUES, overview_url
from newsletter.desk.shell.labels import format_reason
from newsletter.issue_checks.variant_groups import EMPTY_GROUP, group_key, parse_group_key
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.issues.variants.recipient_groups import RecipientGroup
from newsletter.models import Issue, Proof
from newsletter.providers.registry import OUTBOX
from newsletter.sending.notices.proofs import send_proofs

MAX_PROOFS_SHOWN = 5


class ProofsContext(TypedDict):
    """The context of desk/issue/proof.html.

    ``ticked`` are the primary keys of the staff who are ticked, and ``proof_readers`` is the chosen group: the user and the
    first group, or what a refused form had. ``proof_problems`` has the problem of a refused field, by its name.
    """

    staff: Iterable[User]
    ticked: Collection[int]
    proof_readers: str
    proof_problems: dict[str, str]
    proofs: Iterable[Proof]


@require_POST
def send_proof(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the mail of the chosen group to the chosen staff, and go back to the issue's page."""
    issue = get_object_or_404(ISSUES, pk=pk)
    group = parse_group_key(request.POST.get("readers") or group_key(EMPTY_GROUP))
    chosen = _read_keys(request.POST.getlist("to"))

    def call() -> str:
        resolve_complete_content(issue)
        proofs = send_proofs(
            issue=issue,
            group=group,
            to=list(list_proof_recipients().filter(pk__in=chosen)),
            by=cast(User, request.user),
            now=timezone.now(),
        )
        for proof in proofs:
            report_proof(request, proof, group=group)
        log(instance=issue, action="newsletter.proof", user=request.user, data={"people": len(proofs)})
        return ""

    action = ServiceAction(call=call, instance=issue, log_action=None, keeps_form=True)
    return action.respond(request, back=overview_url(issue) + "#nl-proof")


def _read_keys(values: Iterable[str]) -> list[int]:
    return [int(one) for one in values if one.isdecimal()]


def list_proof_recipients() -> QuerySet[User]:
    """Return the active staff who have an address."""
    return User.objects.filter(is_active=True).exclude(email="").order_by("email")


def proofs_context(issue: Issue, *, request: HttpRequest) -> ProofsContext:
    """Return the staff to choose from and the latest proofs."""
    refused = take_refused_values(request, address=reverse("newsletter_issue_proof", args=[issue.pk]))
    return {
        "staff": list_proof_recipients(),
        "ticked": _read_keys(refused.get("to", [])) if refused else [request.user.pk or 0],
        "proof_readers": refused.get("readers", [""])[-1],
        "proof_problems": dict(zip(refused.get("refused_field", []), refused.get("refusal", []), strict=True)),
        "proofs": issue.proofs.select_related("person")[:MAX_PROOFS_SHOWN],
    }


def report_proof(request: HttpRequest, proof: Proof, *, group: RecipientGroup) -> None:
    """Show what became of a proof."""
    values = {"person": proof.person.email, "reason": format_reason(proof.reason)}
    if proof.state == Proof.State.ACCEPTED and proof.provider == OUTBOX:
        text = _("The proof for %(person)s is ready. No provider is connected, so it was not mailed.") % values
        mail = reverse("newsletter_issue_mail", args=[proof.issue_id, f"mail.{group_key(group)}"])
        messages.success(
            request, format_html('{} <a href="{}" target="_blank">{}</a>', text, mail, _("Look at the proof"))
        )
    elif proof.state == Proof.State.ACCEPTED:
        messages.success(request, _("The proof was sent to %(person)s.") % values)
    elif proof.state == Proof.State.UNCERTAIN:
        text = _(
            "We do not know whether the proof to %(person)s was sent. %(reason)s Send another if it does not arrive."
        )
        messages.warning(request, text % values)
    else:
        messages.error(request, _("The proof to %(person)s was not sent. %(reason)s") % values)
