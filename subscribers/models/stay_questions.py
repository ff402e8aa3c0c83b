"""“Do you still want this?”: the one mail to somebody who has been silent for long, and the rest of those who do not answer."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from subscribers.models.lists import MailingList
from subscribers.models.people import Subscriber
from subscribers.models.queued_mails import REPEATED_AFTER, QueuedMail, make_repeat_index, make_repeat_rules


class StayQuestionQuerySet(models.QuerySet["StayQuestion"]):
    def open(self) -> Self:
        """Return those without an answer."""
        return self.filter(answered_at__isnull=True)

    def resting(self) -> Self:
        """Return those whose people get no newsletter until they answer."""
        return self.open().filter(resting_since__isnull=False)

    def maybe_lost(self) -> Self:
        """Return those that a provider may never have accepted: without a clear answer, or by the last attempt.

        A process that is killed in the last attempt leaves the same row as one whose mail was accepted.
        """
        return self.filter(Q(repeat_at__isnull=False) | Q(repeats__gte=len(REPEATED_AFTER)))


class StayQuestion(QueuedMail):
    """One question to one person. ``mailing_list`` is the oldest of their lists that has a sender, which asks.

    A person rests from ``resting_since`` until they answer. Anything that they do on their own pages is an answer.
    """

    CLAIMABLE = Q(answered_at__isnull=True, resting_since__isnull=True)

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="stay_questions")
    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="+")
    asked_at = models.DateTimeField()
    resting_since = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = StayQuestionQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber"], condition=Q(answered_at__isnull=True), name="one_open_stay_question"
            ),
            models.CheckConstraint(
                condition=Q(resting_since__isnull=True) | Q(sent_at__isnull=False, resting_since__gt=F("sent_at")),
                name="nobody_rests_unasked",
            ),
            *make_repeat_rules("stay_question"),
        ]
        indexes = [
            models.Index(
                fields=["subscriber"],
                condition=Q(answered_at__isnull=True, resting_since__isnull=False),
                name="stay_question_resting",
            ),
            make_repeat_index("stay_question"),
        ]

    def __str__(self) -> str:
        return f"question to {self.subscriber}"
