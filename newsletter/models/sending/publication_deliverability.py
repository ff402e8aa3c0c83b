"""Choices of a publication about canary mailboxes and spam reports at Gmail. Constraints are among those of `Publication`."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy


class DeliverabilityChoice(models.Model):
    """If issues go to the canary mailboxes, how long everybody waits for them, and if spam reports at Gmail pause an issue."""

    class Canary(models.TextChoices):
        OFF = "off", gettext_lazy("Not used")
        WATCH = "watch", gettext_lazy("Look, and never stop a send")
        STOP = "stop", gettext_lazy("Wait for the first canaries, and stop the rest if one is in spam or broken")

    class CanarySilence(models.TextChoices):
        GO_ON = "go_on", gettext_lazy("Go on, and say so")
        PAUSE = "pause", gettext_lazy("Pause until somebody decides")

    canary = models.CharField(
        gettext_lazy("canary mailboxes"),
        max_length=5,
        choices=Canary.choices,
        default=Canary.OFF,
        help_text=gettext_lazy(
            "Each issue is sent to your canary mailboxes before and after its recipients, and then looked for there."
        ),
    )
    canary_minutes = models.PositiveSmallIntegerField(
        gettext_lazy("wait for the canaries (minutes)"),
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text=gettext_lazy("The longest wait until each first canary is found."),
    )
    canary_silence = models.CharField(
        gettext_lazy("after that time"),
        max_length=5,
        choices=CanarySilence.choices,
        default=CanarySilence.GO_ON,
        help_text=gettext_lazy("What happens if a canary did not arrive, or if its mailbox could not be read."),
    )
    gmail_pause = models.BooleanField(
        gettext_lazy("pause if Gmail reports spam"),
        default=True,
        help_text=gettext_lazy(
            "If more than 0.3 % of your mail at Gmail was reported as spam, the next issue pauses before anybody gets it. "
            "Somebody who may send can resume it with a reason. This needs the figures of Google’s Postmaster Tools."
        ),
    )

    class Meta:
        abstract = True
