"""The provider accounts of a publication, its canary mailboxes, and what spam reports at Gmail do.

Their constraints are among those of `Publication`.
"""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.providers.accounts import DEFAULT_ACCOUNT, MAX_ACCOUNT_LENGTH


class PublicationAccounts(models.Model):
    """The accounts by name, and when the domain of the second one begins to warm up."""

    account = models.CharField(
        gettext_lazy("provider account"),
        max_length=MAX_ACCOUNT_LENGTH,
        default=DEFAULT_ACCOUNT,
        help_text=gettext_lazy("The account that sends its issues."),
    )
    second_account = models.CharField(
        gettext_lazy("second provider account"),
        max_length=MAX_ACCOUNT_LENGTH,
        blank=True,
        default="",
        help_text=gettext_lazy(
            "It takes the rest of a send if the first account is away for long, or refuses to send for us. What the first "
            "may have taken stays with it."
        ),
    )
    warm_up_from = models.DateField(
        gettext_lazy("warm up from"),
        null=True,
        blank=True,
        help_text=gettext_lazy("A new sending domain starts with 50 people on this day and more each day after."),
    )
    second_warm_up_from = models.DateField(
        gettext_lazy("warm up the second account from"),
        null=True,
        blank=True,
        help_text=gettext_lazy("A new domain of the second account starts with 50 people on this day."),
    )

    class Meta:
        abstract = True

    def check_accounts(self) -> None:
        """Raise ValidationError if both accounts are the same."""
        if self.second_account and self.second_account == self.account:
            raise ValidationError({"second_account": _("This is the first account. Choose another, or none.")})


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
