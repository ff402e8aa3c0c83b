"""List the issues that one person was sent, with time, outcome and reason, for the page of the person. Reads only."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from newsletter.feedback.explaining.explain_exclusion import find_left_out
from newsletter.models import Batch, Delivery, DeliveryException, Issue, Send, WelcomeStep
from newsletter.providers.registry import OUTBOX
from newsletter.sending.settling.delivered_bitmap import find_delivered
from subscribers.models import CountedUnsubscribe, Subscriber, Subscription
from subscribers.people.publishing_hooks import MissedMail, SentMail

MAX_MAILS = 50
MAX_MISSED = 5
BATCH_OUTCOMES = {
    Batch.State.PENDING: gettext_lazy("Still to send"),
    Batch.State.SUBMITTING: gettext_lazy("Still to send"),
    Batch.State.ACCEPTED: gettext_lazy("Accepted by the provider"),
    Batch.State.PARTIAL: gettext_lazy("Accepted by the provider"),
    Batch.State.REJECTED: gettext_lazy("Rejected by the provider"),
    Batch.State.UNCERTAIN: gettext_lazy("Uncertain: no clear answer from the provider"),
    Batch.State.WRITTEN_OFF: gettext_lazy("Uncertain: no clear answer from the provider"),
}
OWN_OUTCOMES = {
    DeliveryException.State.REJECTED: gettext_lazy("Rejected by the provider"),
    DeliveryException.State.SKIPPED: gettext_lazy("Not sent: unsubscribed, paused or suppressed just before"),
    DeliveryException.State.UNCERTAIN: gettext_lazy("Uncertain: no clear answer from the provider"),
}

REPORTED_OUTCOMES = {
    "unsubscribed": gettext_lazy("Unsubscribed by a link of this email"),
    "complained": gettext_lazy("Reported as spam"),
    "bounced": pgettext_lazy("one mail", "Bounced"),
    "delivered": pgettext_lazy("one mail", "Delivered"),
    "to_files": gettext_lazy("Written to a file; not sent"),
    "cancelled": gettext_lazy("Not sent: the send was cancelled first"),
    "already_mailed": gettext_lazy("Not sent: they changed to an address that had this issue already"),
}
"""What was reported or done later. It comes before the state of the batch."""


def list_sent_mails(person: Subscriber) -> list[SentMail]:
    """Return the newest issues first, at most `MAX_MAILS`, without proofs."""
    rows = Delivery.objects.filter(subscriber_id=person.pk, proof=False)
    related = ("batch__send__issue__publication__mailing_list", "batch__variant", "exception")
    deliveries = list(rows.select_related(*related).order_by("-pk")[:MAX_MAILS])
    delivered = find_delivered({row.pk: row.batch.send_id for row in deliveries})
    unsubscribed = set(CountedUnsubscribe.objects.filter(subscriber_id=person.pk).values_list("mailing", flat=True))
    subscriptions = list(person.subscriptions.order_by("-requested_at"))
    return [
        SentMail(
            issue_id=row.batch.send.issue_id,
            issue=str(row.batch.send.issue),
            version=row.batch.variant.label,
            at=row.batch.settled_at or row.batch.send.started_at,
            outcome=_label_outcome(row, delivered=row.pk in delivered, unsubscribed=row.batch.send_id in unsubscribed),
            why=_explain(row, subscriptions),
            was_handed_over=was_handed_over(row),
        )
        for row in deliveries
    ]


def list_missed_mails(person: Subscriber) -> list[MissedMail]:
    """Return the newest issues of the person's lists that were not sent to them, or not yet, at most `MAX_MISSED`."""
    lists = Subscription.objects.open().filter(subscriber=person).values("mailing_list")
    delivered = Delivery.objects.filter(subscriber_id=person.pk, proof=False)
    issues = Issue.objects.filter(publication__mailing_list__in=lists)
    issues = issues.exclude(pk__in=delivered.values("issue")).exclude(pk__in=delivered.values("batch__send__issue"))
    entered = WelcomeStep.objects.filter(subscriber_id=person.pk).values("issue")
    issues = issues.exclude(~Q(pk__in=entered), kind=Issue.Kind.WELCOME)
    newest = issues.exclude(state=Issue.State.CANCELLED).select_related("publication").order_by("-made_at")[:MAX_MISSED]
    missed = list(newest)
    reasons = find_left_out(person, issues=[issue.pk for issue in missed])
    return [MissedMail(issue_id=issue.pk, issue=str(issue), why=reasons.get(issue.pk, "")) for issue in missed]


def describe_delivery(row: Delivery) -> str:
    """Return what became of one delivery, for people."""
    delivered = find_delivered({row.pk: row.batch.send_id})
    unsubscribed = CountedUnsubscribe.objects.filter(subscriber_id=row.subscriber_id, mailing=row.batch.send_id)
    return _label_outcome(row, delivered=row.pk in delivered, unsubscribed=unsubscribed.exists())


def was_handed_over(row: Delivery) -> bool:
    """Return True if the provider got the mail or may have got it, also if it refused it."""
    exception: DeliveryException | None = getattr(row, "exception", None)
    if exception and exception.was_not_handed_over:
        return False
    is_unsent = row.batch.state == Batch.State.PENDING and not row.batch.handed_to
    return not is_unsent and row.batch.code != Batch.Code.RENDER_FAILURE


def _label_outcome(row: Delivery, *, delivered: bool, unsubscribed: bool) -> str:
    exception: DeliveryException | None = getattr(row, "exception", None)
    if unsubscribed or (exception and exception.unsubscribed_at):
        return str(REPORTED_OUTCOMES["unsubscribed"])
    if exception and exception.complained_at:
        return str(REPORTED_OUTCOMES["complained"])
    if exception and exception.bounced_at:
        return str(REPORTED_OUTCOMES["bounced"])
    if delivered:
        return str(REPORTED_OUTCOMES["delivered"])
    if exception and (exception.state, exception.code) == (
        DeliveryException.State.SKIPPED,
        DeliveryException.Code.ALREADY_MAILED,
    ):
        return str(REPORTED_OUTCOMES["already_mailed"])
    if exception and exception.state:
        return str(OWN_OUTCOMES[DeliveryException.State(exception.state)])
    state = Batch.State(row.batch.state)
    if row.batch.send.provider == OUTBOX and state == Batch.State.ACCEPTED:
        return str(REPORTED_OUTCOMES["to_files"])
    if row.batch.send.state == Send.State.CANCELLED and state == Batch.State.PENDING:
        return str(BATCH_OUTCOMES[Batch.State.UNCERTAIN] if row.batch.handed_to else REPORTED_OUTCOMES["cancelled"])
    return str(BATCH_OUTCOMES[state])


def _explain(row: Delivery, subscriptions: Iterable[Subscription]) -> str:
    """Return the subscription by which the person was a recipient when the audience was frozen."""
    issue, frozen_at = row.batch.send.issue, row.batch.send.made_at
    if issue.kind == Issue.Kind.CORRECTION:
        return _("They had received, or may have received, what this email corrects.")
    frozen_at = max(frozen_at, row.batch.settled_at or frozen_at) if issue.is_welcome else frozen_at
    mailing_list = issue.publication.mailing_list
    for held in subscriptions:
        is_open = held.requested_at <= frozen_at and (held.ended_at is None or held.ended_at > frozen_at)
        if held.mailing_list_id == mailing_list.pk and is_open:
            return _("On the list %(list)s since %(day)s (%(basis)s)") % {
                "list": mailing_list,
                "day": date_format(localtime(held.requested_at), _("j M Y")),
                "basis": held.get_basis_display(),
            }
    return _("On the list %(list)s at that time") % {"list": mailing_list}
