"""Confirm a password again. Wrong passwords count, and are logged, as at sign-in."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


def confirm_password(*, user: object, password: str) -> None:
    """Raise ValidationError for a wrong password, and for any password after too many wrong ones of this person."""
    if not get_adapter().reauthenticate(user, password):
        raise ValidationError(_("Incorrect password. Enter the password that you sign in with."))


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: User | AnonymousUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        confirm_password(user=self.user, password=password)
        return password
