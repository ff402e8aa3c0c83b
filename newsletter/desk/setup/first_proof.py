"""The first proof: make the first issue from the content of the sources, and send it to one member of staff."""

from django.contrib.auth.models import User
from django.utils import timezone
from wagtail.log_actions import log

from newsletter.common.errors import NotReady
from newsletter.issue_checks.variant_groups import EMPTY_GROUP
from newsletter.issues.assembly.assemble import assemble_slot, log_assembled
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.models import Issue, Proof, Publication
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.sending.notices.proofs import send_proofs


def find_last_proof() -> Proof | None:
    accepted = Proof.objects.filter(state=Proof.State.ACCEPTED)
    return accepted.select_related("issue__publication", "person").first()


def find_open_issue() -> Issue | None:
    """Return the newest issue that is not sent. Those of archived publications are left out."""
    waiting = Issue.objects.filter(state__in=Issue.UNSENT_STATES, publication__archived=False)
    return waiting.select_related("publication", "slot").order_by("-made_at").first()


def find_first_publication() -> Publication | None:
    """Return the publication of the first issue. None if all are archived."""
    return Publication.objects.filter(archived=False).select_related("brand", "mailing_list").first()


def find_proof_account() -> str:
    """Return the provider account that the proof goes through: that of the open issue's publication, or of the first one."""
    issue = find_open_issue()
    publication = issue.publication if issue else find_first_publication()
    return publication.account if publication else DEFAULT_ACCOUNT


def send_first_proof(*, by: User) -> Proof:
    """Send a proof of the open issue, or of the next slot's, which is then assembled. Raises DomainError."""
    now, issue = timezone.now(), find_open_issue()
    if issue is None:
        publication = find_first_publication()
        if publication is None:
            raise NotReady("There is no publication yet. Set it up first.")
        assembly = assemble_slot(slot=get_or_create_slot(publication=publication, due="", now=now), now=now)
        if assembly.issue is None:
            raise NotReady("The first issue cannot be made yet: %(reason)s", reason=assembly.slot.reason)
        issue = assembly.issue
        log_assembled(issue)
    resolve_complete_content(issue)
    (proof,) = send_proofs(issue=issue, group=EMPTY_GROUP, to=[by], by=by, now=now)
    log(instance=issue, action="newsletter.proof", user=by, data={"people": 1})
    return proof
