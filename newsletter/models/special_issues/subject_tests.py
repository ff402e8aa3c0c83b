"""Subject tests: part of an issue's audience gets one of several subjects, and the rest the one that did better."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.db.models.sql.compiler import SQLCompiler
from django.utils.translation import gettext_lazy

from newsletter.models.issues import Issue
from newsletter.models.states import one_of


class ArrayLength(models.Func):
    """The number of elements of a JSON array."""

    function = "json_array_length"
    output_field = models.IntegerField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        sql, parameters = self.as_sql(compiler, connection, function="jsonb_array_length")
        return sql, list(parameters)


class SubjectTest(models.Model):
    """The subjects that an issue tests, and the decision, which is made once and never changed.

    ``subjects`` are those after the issue's own, which is the first: ``[{"subject", "preheader"}, …]``. An empty preheader
    means the issue's. ``number_of_subjects`` counts all. ``share_percent`` of the readers get one of them, in equal parts;
    the others wait ``wait_hours`` after the last of these mails. ``seed`` decides who gets which, so nothing can change it
    later. ``winner`` is the number of the subject, from 1, that the others get. ``results`` has, for each subject, the
    ``people`` who got it and the ``responses`` by ``measure``, as they were at the decision.
    """

    class Measure(models.TextChoices):
        CLICKS = "clicks", gettext_lazy("Clicks")
        REPLIES = "replies", gettext_lazy("Replies")
        LEAVING = "leaving", gettext_lazy("Unsubscribes and complaints")

    class Outcome(models.TextChoices):
        NONE = "", gettext_lazy("Not decided")
        BETTER = "better", gettext_lazy("One subject did better")
        SOME_WORSE = "some_worse", gettext_lazy("Some subjects did worse")
        NO_DIFFERENCE = "no_difference", gettext_lazy("No difference")
        BY_STAFF = "by_staff", gettext_lazy("Chosen by staff")
        TOO_FEW = "too_few", gettext_lazy("Too few people for a result")

    MIN_SHARE, MAX_SHARE = 5, 50
    MAX_HOURS = 48
    MAX_SUBJECTS = 4

    issue = models.OneToOneField(Issue, on_delete=models.CASCADE, related_name="subject_test")
    subjects = models.JSONField()
    number_of_subjects = models.PositiveSmallIntegerField()
    share_percent = models.PositiveSmallIntegerField()
    wait_hours = models.PositiveSmallIntegerField()
    seed = models.BigIntegerField()
    decided_at = models.DateTimeField(null=True)
    winner = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=14, choices=Outcome.choices, blank=True, default=Outcome.NONE)
    measure = models.CharField(max_length=8, choices=Measure.choices, blank=True, default="")
    results = models.JSONField(default=list)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(number_of_subjects=ArrayLength("subjects") + 1), name="subject_test_counts_its_subjects"
            ),
            models.CheckConstraint(
                condition=Q(number_of_subjects__gte=2, number_of_subjects__lte=4), name="subject_test_of_2_to_4"
            ),
            models.CheckConstraint(
                condition=Q(share_percent__gte=5, share_percent__lte=50), name="subject_test_share_5_to_50"
            ),
            models.CheckConstraint(
                condition=Q(wait_hours__gte=1, wait_hours__lte=48), name="subject_test_waits_1_to_48_hours"
            ),
            one_of(
                "subject_test_outcome", "outcome", ["", "better", "some_worse", "no_difference", "by_staff", "too_few"]
            ),
            one_of("subject_test_measure", "measure", ["", "clicks", "replies", "leaving"]),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, winner__isnull=True, outcome="", measure="")
                | Q(decided_at__isnull=False, winner__gte=1, winner__lte=models.F("number_of_subjects"))
                & ~Q(outcome="")
                & ~Q(measure=""),
                name="subject_test_decided_as_a_whole",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=["no_difference", "too_few"]) | Q(winner=1),
                name="subject_test_without_a_winner_sends_the_first",
            ),
        ]

    def __str__(self) -> str:
        return f"Subject test of {self.issue}"
