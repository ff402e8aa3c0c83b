"""Whoever is signed in shows once more that it is they. Wrong tries count as at the sign-in, and are put on record there."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


def confirm_password(*, user: Any, password: str) -> None:
    """Raises `ValidationError` for a wrong password, and for any after too many wrong ones of this person."""
    if not get_adapter().reauthenticate(user, password):
        raise ValidationError(_("This is not your password. Type the one that you sign in with."))


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        confirm_password(user=self.user, password=password)
        return password
