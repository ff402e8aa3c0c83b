"""A mail that waits in a row of its own until the provider accepts it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q

REPEATED_AFTER = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""How long after each attempt without a clear answer the next one is made. There are no more attempts than these and one."""
RELEASED_AT_ONCE = 200


class QueuedMail(models.Model):
    """One mail to one person, which they may get twice: a confirmation or a link that is lost is worse.

    A row without ``sent_at`` is due. The sender claims it before it calls the provider. At ``repeat_at`` the row is due again,
    unless the provider's answer was recorded before: a call may end without an answer, and a process may be killed in it.
    """

    CLAIMABLE = Q(sent_at__isnull=True)

    sent_at = models.DateTimeField(null=True, blank=True)
    repeat_at = models.DateTimeField(null=True, blank=True, editable=False)
    repeats = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def release_unanswered(cls, *, now: datetime) -> int:
        """Make those due again whose time for an answer is over. Return how many."""
        unanswered = cls._default_manager.filter(repeat_at__lte=now).order_by("pk")
        return sum(row._release_unanswered(now=now) for row in unanswered[:RELEASED_AT_ONCE])

    def _release_unanswered(self, *, now: datetime) -> int:
        """Make the row due again. If another request of the same person is due, that one takes its place."""
        unanswered = type(self)._default_manager.filter(pk=self.pk, repeat_at__lte=now)
        try:
            with transaction.atomic():
                return unanswered.update(sent_at=None, repeat_at=None, repeats=F("repeats") + 1)
        except IntegrityError:
            unanswered.update(repeat_at=None)
            return 0

    @property
    def is_last_attempt(self) -> bool:
        """Return True if the mail is not sent again after this attempt, however that ends."""
        return self.repeats >= len(REPEATED_AFTER)

    def claim(self, *, now: datetime) -> bool:
        """Claim the row before its mail is handed over. Return False if another process has it: do not send then."""
        repeat_at = None if self.is_last_attempt else now + REPEATED_AFTER[self.repeats]
        due = type(self)._default_manager.filter(self.CLAIMABLE, pk=self.pk)
        return due.update(sent_at=now, repeat_at=repeat_at) == 1

    def record_answer(self) -> None:
        """Record that the provider accepted or refused the mail."""
        type(self)._default_manager.filter(pk=self.pk).update(repeat_at=None)

    def release(self) -> None:
        """Make the row due again, because the provider certainly did not accept the mail."""
        type(self)._default_manager.filter(pk=self.pk).update(sent_at=None, repeat_at=None)


def make_repeat_rules(name: str) -> Sequence[models.BaseConstraint]:
    """Return the constraints of a table of queued mails. ``name`` begins their names."""
    return (
        models.CheckConstraint(
            condition=Q(repeat_at__isnull=True) | Q(sent_at__isnull=False), name=f"{name}_repeat_of_sent"
        ),
        models.CheckConstraint(condition=Q(repeats__lte=len(REPEATED_AFTER)), name=f"{name}_repeats_limited"),
    )


def make_repeat_index(name: str) -> models.Index:
    """Return the index of the rows that may be due again."""
    return models.Index(fields=["repeat_at"], condition=Q(repeat_at__isnull=False), name=f"{name}_repeat")
