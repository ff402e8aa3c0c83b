"""A mail that waits in a row of its own until the provider accepts it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, models, transaction
from django.db.models import Q

from newsletter.common.database.future_times import make_ahead_filter

REPEATED_AFTER = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""How long after each attempt without a clear answer the next one is made. There are no more attempts than these and one."""
MAX_DELAY = timedelta(days=7)
"""A repeat that is later than this, as after a long stop of the program, is not made."""
_UNSENT = Q(sent_at__isnull=True)


def _unanswered(now: datetime) -> Q:
    """Return the condition of mails to repeat, or that wait by a clock that was ahead."""
    was_ahead = make_ahead_filter("repeat_at", now=now, wait=max(REPEATED_AFTER))
    return Q(repeat_at__lte=now, repeat_at__gt=now - MAX_DELAY) | was_ahead


class QueuedMail(models.Model):
    """One mail to one person, which they may get twice: a confirmation or a link that is lost is worse.

    The sender claims a due row before it calls the provider. A row without ``sent_at`` never reached the provider. Others are
    due again at ``repeat_at`` if no answer was recorded: a call may end without one, and a process may be killed in it. They
    keep their ``sent_at``, because their mail may have arrived.
    """

    CLAIMABLE = Q()
    """What else must be true of a row whose mail is of use."""

    sent_at = models.DateTimeField(null=True, blank=True)
    repeat_at = models.DateTimeField(null=True, blank=True, editable=False)
    repeats = models.PositiveSmallIntegerField(default=0, editable=False)

    _before_claim: dict[str, datetime | int | None] | None = None

    class Meta:
        abstract = True

    @classmethod
    def due_by(cls, now: datetime) -> Q:
        """Return the condition of the rows whose mail was not sent, or had no answer for long enough.

        Each of the two has an index. For both in one condition, SQLite would read the whole table.
        """
        claimable = cls._default_manager.filter(cls.CLAIMABLE).order_by().values("pk")
        return Q(pk__in=claimable.filter(_UNSENT).union(claimable.filter(_unanswered(now)), all=True))

    @property
    def useful_until(self) -> datetime | None:
        """Return the time from which the mail is not sent any more. None if there is none."""
        return None

    @property
    def is_last_attempt(self) -> bool:
        """Return True if the mail is not sent again after the attempt for which the row was claimed, however that ends."""
        return self.repeat_at is None

    def claim(self, *, now: datetime) -> bool:
        """Claim the row before its mail is handed over. Return False if another process has it: do not send then."""
        before = {"sent_at": self.sent_at, "repeat_at": self.repeat_at, "repeats": self.repeats}
        repeats = self.repeats + (self.sent_at is not None)
        repeat_at = self._find_repeat(repeats, now=now)
        # A subquery would see the row as it was before another process claimed it.
        due = type(self)._default_manager.filter(self.CLAIMABLE, _UNSENT | _unanswered(now), pk=self.pk)
        if not due.filter(sent_at=self.sent_at, repeats=self.repeats).update(
            sent_at=now, repeat_at=repeat_at, repeats=repeats
        ):
            return False
        self.sent_at, self.repeat_at, self.repeats, self._before_claim = now, repeat_at, repeats, before
        return True

    def _find_repeat(self, repeats: int, *, now: datetime) -> datetime | None:
        """Return when the mail is due again if the attempt of now gets no answer."""
        if repeats >= len(REPEATED_AFTER):
            return None
        repeat_at = now + REPEATED_AFTER[repeats]
        return repeat_at if self.useful_until is None or repeat_at < self.useful_until else None

    def record_answer(self) -> None:
        """Record that the provider accepted or refused the mail."""
        type(self)._default_manager.filter(pk=self.pk).update(repeat_at=None)

    def release(self) -> None:
        """Undo the claim, because the provider certainly did not accept the mail. Leave the claim of another process alone.

        If another request of the same person is due, that one takes this one's place.
        """
        claimed = type(self)._default_manager.filter(pk=self.pk, sent_at=self.sent_at)
        try:
            with transaction.atomic():
                claimed.update(**(self._before_claim or {}))
        except IntegrityError:
            claimed.update(repeat_at=None)


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
