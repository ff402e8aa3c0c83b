"""Stops what is on its way and says a protected term: the term was put on the list after the audience was fixed.

From the term's commit on no batch is claimed (`claim.running_sends`); a send that was searched here and does not say it goes on.
"""

from newsletter.common.messages import Message
from newsletter.issues.protected_terms.check import scan_for_protected_terms
from newsletter.issues.protected_terms.matcher import get_term_matcher
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Batch, Issue, Send, Variant, move

_RUNNING = (Send.State.READY, Send.State.SUBMITTING)
_MAY_STILL_GO = (Batch.State.PENDING, Batch.State.SUBMITTING, Batch.State.UNCERTAIN)


def pause_protected() -> list[Issue]:
    """Pause, and say why, each send that has mails to go and says a protected term. Returns the issues of those it paused.

    Part of the sweep, so that a send that is let go on pauses again for as long as the term is on the list.
    """
    if get_term_matcher().idle:
        return []
    waiting = Batch.objects.filter(state=Batch.State.PENDING)
    sends = Send.objects.filter(pk__in=waiting.values("send"), state__in=_RUNNING)
    return [send.issue for send in sends.select_related("issue__publication", "revision") if _pause(send)]


def _pause(send: Send) -> bool:
    if send.revision is None:
        return False
    look = scan_for_protected_terms(IssueContent.from_json(send.revision.content))
    mails = Variant.objects.filter(pk__in=send.batches.filter(state__in=_MAY_STILL_GO).values("variant"))
    findings = look.findings or [finding for mail in mails.iterator() for finding in look.find_in(mail)]
    if not findings:
        newest = look.matcher.newest
        Send.objects.filter(pk=send.pk, searched_up_to__lt=newest).update(searched_up_to=newest)
        return False
    reason = Message(
        "%(message)s Whoever has it already cannot be called back; to end the send, cancel it",
        message=findings[0].message,
    )
    return move(send, of=_RUNNING, to=Send.State.PAUSED, reason=reason[:500])
