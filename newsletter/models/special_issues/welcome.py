"""The welcome of new subscribers: who is to get which of its mails, and what became of each."""

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy, ngettext_lazy

from newsletter.models.issues import Issue
from newsletter.models.states import one_of
from subscribers.models import MailingList

MAX_LATE = timedelta(days=14)
"""How long after its day a welcome mail may still be sent."""


class WelcomeStep(models.Model):
    """One mail of a welcome for one person. The constraint guarantees that nobody gets a step twice on one list.

    ``address_hash`` is the first 16 bytes of the keyed hash of the address. ``subscriber_id`` names the person until
    90 days after the row is settled. ``step`` and ``mailing_list`` are those of the issue when the person joined;
    ``joined_at`` is when they confirmed, from which the days of the step count. The state is ``sending`` from the moment
    at which the person has a `Delivery` of the issue.
    """

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Waiting")
        SENDING = "sending", gettext_lazy("Being sent")
        ACCEPTED = "accepted", gettext_lazy("Accepted by the provider")
        NOT_SENT = "not_sent", gettext_lazy("Not sent")
        UNCERTAIN = "uncertain", gettext_lazy("Uncertain")

    class Code(models.TextChoices):
        """The reasons for which a step was not sent."""

        NONE = ""
        UNSUBSCRIBED = "unsubscribed", gettext_lazy("unsubscribed or may no longer be mailed")
        PAUSED = "paused", gettext_lazy("paused their mail")
        MOVED = "moved", gettext_lazy("changed their address")
        TOO_LATE = "too_late", gettext_lazy("it was more than 14 days late")
        TURNED_OFF = "turned_off", gettext_lazy("staff turned it off")
        REJECTED = "rejected", gettext_lazy("the provider refused the mail")
        EMPTY = "empty", gettext_lazy("it had nothing for them: no block, or no story that they did not have")
        EARLIER_STEP = "earlier_step", gettext_lazy("the mail before it did not reach them")

    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, related_name="welcome_steps")
    mailing_list = models.ForeignKey(MailingList, on_delete=models.PROTECT, related_name="+")
    step = models.PositiveSmallIntegerField()
    subscriber_id = models.BigIntegerField(null=True, db_index=True)
    address_hash = models.BinaryField(max_length=16)
    joined_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    code = models.CharField(max_length=12, choices=Code.choices, blank=True, default=Code.NONE)
    settled_at = models.DateTimeField(null=True)

    counted_as = ngettext_lazy("%(number)s welcome email", "%(number)s welcome emails", "count")
    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailing_list", "step", "address_hash"], name="one_welcome_step_per_list_and_address"
            ),
            one_of("welcome_step_state", "state", ["waiting", "sending", "accepted", "not_sent", "uncertain"]),
            one_of(
                "welcome_step_code",
                "code",
                ["", "unsubscribed", "paused", "moved", "too_late", "turned_off", "rejected", "empty", "earlier_step"],
            ),
            models.CheckConstraint(
                condition=models.Q(state="not_sent") & ~models.Q(code="")
                | ~models.Q(state="not_sent") & models.Q(code=""),
                name="welcome_step_not_sent_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["issue", "state", "joined_at"], name="welcome_step_due"),
        ]
