"""The steps by which a send was slowed because mailbox providers refuse or delay its sender."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from newsletter.models.sending.sends import Send
from newsletter.models.states import one_of


class PaceStep(models.Model):
    """One change of a send's pace, in order by ``number``. The newest step counts. The send has a copy of its limit.

    ``mailbox`` is the mailbox provider that reported, ``status`` its commonest code, ``reports`` of ``mails`` how many of the
    mails that it got since the step before. They are empty if the pace was raised. ``people_per_minute`` is NULL without a
    limit of this kind; the limits of the provider's account hold in any case.
    """

    class Code(models.TextChoices):
        SLOWED = "slowed", gettext_lazy("Slowed")
        RAISED = "raised", gettext_lazy("Faster again")
        ENDED = "ended", gettext_lazy("At full pace again")
        PAUSED = "paused", gettext_lazy("Paused")

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="pace_steps")
    number = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=6, choices=Code.choices)
    mailbox = models.CharField(max_length=255, blank=True, default="")
    status = models.CharField(max_length=12, blank=True, default="")
    reports = models.PositiveIntegerField(default=0)
    mails = models.PositiveIntegerField(default=0)
    people_per_minute = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["send", "number"], name="pace_step_once"),
            one_of("pace_step_code", "code", ["slowed", "raised", "ended", "paused"]),
            models.CheckConstraint(
                condition=Q(code__in=["slowed", "paused"], reports__gte=1, people_per_minute__isnull=False)
                & ~Q(mailbox="")
                & ~Q(status="")
                | Q(code="raised", reports=0, mailbox="", status="", people_per_minute__isnull=False)
                | Q(code="ended", reports=0, mailbox="", status="", people_per_minute__isnull=True),
                name="pace_step_says_why",
            ),
            models.CheckConstraint(condition=~Q(people_per_minute=0), name="pace_step_is_not_0"),
        ]
