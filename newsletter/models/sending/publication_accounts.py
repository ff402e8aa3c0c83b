"""The provider accounts of a publication. Their constraints are among those of `Publication`."""

from django.core.exceptions import ValidationError
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
