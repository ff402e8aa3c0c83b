"""The form of a canary mailbox. It never shows the password that is stored."""

from django import forms
from django.utils.translation import gettext_lazy

from newsletter.common.fields.limited_text import LimitedTextField, LimitedTextsMixin
from newsletter.inbound.canaries.accounts import TLS_PORT, Account
from newsletter.models import CanaryMailbox


class CanaryForm(LimitedTextsMixin, forms.Form):
    address = forms.CharField(
        label=gettext_lazy("Email address"),
        max_length=254,
        help_text=gettext_lazy("A mailbox of your own that is on no list. One at each large provider tells the most."),
    )
    host = forms.CharField(
        label=gettext_lazy("IMAP server"), max_length=253, help_text=gettext_lazy("Such as imap.example.org.")
    )
    port = forms.IntegerField(
        label=gettext_lazy("Port"),
        min_value=1,
        max_value=65_535,
        initial=TLS_PORT,
        help_text=gettext_lazy("Port 993 uses TLS. Other ports use STARTTLS."),
    )
    user = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=254,
        required=False,
        help_text=gettext_lazy("Leave empty if it is the address."),
    )
    password = LimitedTextField(
        label=gettext_lazy("Password"),
        max_length=500,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("It is stored encrypted. Many providers require an app password."),
    )

    def read_account(self) -> Account:
        """Return the entered values of a valid form."""
        entered = self.cleaned_data
        user = entered["user"].strip() or entered["address"].strip()
        return Account(
            entered["address"].strip(), entered["host"].strip().lower(), entered["port"], user, entered["password"]
        )


class CanaryChangeForm(CanaryForm):
    enabled = forms.BooleanField(
        label=gettext_lazy("In use"),
        required=False,
        help_text=gettext_lazy("While this is off, nothing is sent to it, and no send waits for it."),
    )
    field_order = ("enabled", "address", "host", "port", "user", "password")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].required = False
        self.fields["password"].help_text = gettext_lazy(
            "Leave empty to keep the one that is stored. For another server, port or user name, enter it again."
        )

    @classmethod
    def of(cls, mailbox: CanaryMailbox) -> "CanaryChangeForm":
        """Return the form filled in with a stored mailbox."""
        return cls(initial={name: getattr(mailbox, name) for name in ("enabled", "address", "host", "port", "user")})
