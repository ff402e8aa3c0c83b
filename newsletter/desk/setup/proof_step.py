"""Set up, the proof: make the first issue from the content of the sources, and send it to oneself."""

from datetime import datetime, timedelta
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.errors import DomainError
from newsletter.common.staff_pages import explain_undone, is_file_error
from newsletter.common.translation import translate
from newsletter.desk.issues.proofs import report_proof
from newsletter.desk.setup.first_proof import (
    find_first_publication,
    find_last_proof,
    find_open_issue,
    send_first_proof,
)
from newsletter.desk.setup.pages import StepPage
from newsletter.desk.setup.steps import list_states, take_up_step
from newsletter.issue_checks.variant_groups import EMPTY_GROUP, group_key
from newsletter.issues.approval.approval_rules import find_approvers
from newsletter.models import EventNotice, Proof, Publication, Story
from newsletter.providers.registry import OUTBOX


class ProofStep(StepPage):
    step_slug = "proof"
    template_name = "desk/setup/proof.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        publication, proof = find_first_publication(), find_last_proof()
        return {
            "publication": publication,
            "stories": Story.objects.count(),
            "events": EventNotice.objects.count(),
            "about_events": describe_events(publication, now=timezone.now()) if publication else "",
            "issue": find_open_issue(),
            "proof": proof,
            "proof_mode": f"mail.{group_key(EMPTY_GROUP)}",
            "proof_to_files": proof is not None and proof.provider == OUTBOX,
            "approvers": find_approvers().count(),
            "left": [state.step for state in list_states() if state.state != "done"],
            **super().get_context_data(**kwargs),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            proof = send_first_proof(by=cast(User, request.user))
        except DomainError as error:
            messages.error(request, translate(error))
            return self.show()
        except OSError as error:
            if not is_file_error(error):
                raise
            messages.error(request, explain_undone(error))
            return self.show()
        if proof.state != Proof.State.ACCEPTED:
            report_proof(request, proof, group=EMPTY_GROUP)
            return self.show()
        take_up_step(self.step)
        return redirect(self.step.url)


def describe_events(publication: Publication, *, now: datetime) -> str:
    """Return which events the proof shows, or why it shows none."""
    if not EventNotice.objects.exists():
        return _("It has no events, because your sources brought none.")
    period = timedelta(days=publication.days_ahead)
    ahead = EventNotice.objects.filter(starts_at__gt=now, starts_at__lte=now + period, cancelled=False)
    if not ahead.exists():
        return ngettext(
            "It has no events, because none of yours is in the next %(days)s day.",
            "It has no events, because none of yours is in the next %(days)s days.",
            publication.days_ahead,
        ) % {"days": publication.days_ahead}
    if ahead.filter(online=True).exists():
        return _("Each subscriber sees the events near them. The proof shows those online, because it has no town.")
    return _("Each subscriber sees the events near them. The proof shows none, because it has no town.")
