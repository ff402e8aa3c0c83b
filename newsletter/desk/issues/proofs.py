"""Sends a proof of an issue to named staff, from its page: one service call, and a word about what became of each."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.desk.issues.variant_groups import EMPTY_GROUP, group_key, parse_group_key
from newsletter.desk.shell.labels import format_reason
from newsletter.issues.snapshot.completeness import resolve_complete_content
from newsletter.models import Issue, Proof
from newsletter.sending.notices.proofs import send_proofs
from newsletter.sending.provider import current_adapter

MAX_PROOFS_SHOWN = 5


@require_POST
def send_proof(request: HttpRequest, pk: int) -> HttpResponse:
    """To the chosen staff, as the chosen readers would get it."""
    issues = Issue.objects.select_related(
        "publication__brand", "publication__mailing_list", "publication__segment", "slot"
    )
    issue = get_object_or_404(issues, pk=pk)
    group = parse_group_key(request.POST.get("readers") or group_key(EMPTY_GROUP))
    chosen = [int(one) for one in request.POST.getlist("to") if one.isdecimal()]
    try:
        resolve_complete_content(issue)
        proofs = send_proofs(
            issue=issue,
            group=group,
            to=list(list_proof_recipients().filter(pk__in=chosen)),
            by=cast(User, request.user),
            now=timezone.now(),
            adapter=current_adapter(),
        )
    except (DomainError, OSError) as error:
        messages.error(request, translate(error))
    else:
        log(instance=issue, action="newsletter.proof", user=request.user, data={"people": len(proofs)})
        for proof in proofs:
            _add_message(request, proof)
    return redirect(reverse("newsletter_issue_overview", args=[pk]) + "#nl-proof")


def list_proof_recipients() -> QuerySet[User]:
    """Those who can be sent a proof: whoever may sign in and has an address."""
    return User.objects.filter(is_active=True).exclude(email="").order_by("email")


def proofs_context(issue: Issue, *, user: Any) -> dict[str, Any]:
    """What the issue's page shows: whom it can go to, and the last ones that went."""
    return {
        "staff": list_proof_recipients(),
        "me": user.pk,
        "proofs": issue.proofs.select_related("person")[:MAX_PROOFS_SHOWN],
    }


def _add_message(request: HttpRequest, proof: Proof) -> None:
    if proof.state == Proof.State.ACCEPTED:
        messages.success(request, _("A proof is on its way to %(person)s.") % {"person": proof.person.email})
    elif proof.state == Proof.State.UNCERTAIN:
        words = _("Nobody knows whether the proof to %(person)s went out: %(reason)s Send another if none comes.")
        messages.warning(request, words % {"person": proof.person.email, "reason": format_reason(proof.reason)})
    else:
        words = _("The proof to %(person)s did not go out: %(reason)s")
        messages.error(request, words % {"person": proof.person.email, "reason": format_reason(proof.reason)})
