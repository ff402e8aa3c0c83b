"""Confirm who is there, by the password. Wrong passwords count, and are logged, as at sign-in.

Staff who sign in with the identity provider have no password. They confirm by a sign-in of the last ten minutes.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


def confirm_password(*, user: object, password: str) -> None:
    """Raise ValidationError for a wrong password, and for any password after too many wrong ones of this person."""
    if not get_adapter().reauthenticate(user, password):
        raise ValidationError(_("Incorrect password. Enter the password that you sign in with."))


class SignInAgain(forms.Widget):
    """A link to sign in again, or the sentence that this was done, in the place of a password."""

    def __init__(self, *, is_recent: bool, url: str) -> None:
        super().__init__()
        self.is_recent, self.url = is_recent, url

    def render(self, name: str, value: object, attrs: object = None, renderer: object = None) -> SafeString:
        if self.is_recent:
            return format_html("<p>{}</p>", _("You signed in during the last ten minutes. That is enough."))
        then = _("Then come back to this page: for ten minutes nothing more is asked.")
        return format_html('<p><a href="{}">{}</a> {}</p>', self.url, _("Sign in again."), then)


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: User | AnonymousUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        adapter = get_adapter()
        self.by_sign_in = adapter.confirms_by_sign_in(user)
        if self.by_sign_in:
            back = urlencode({"next": adapter.request.get_full_path()}) if adapter.request else ""
            widget = SignInAgain(
                is_recent=adapter.reauthenticate(user, ""), url=f"{reverse('newsletter_oidc_again')}?{back}"
            )
            self.fields["password"] = forms.CharField(
                label=gettext_lazy("Confirm that it is you"), required=False, widget=widget
            )

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if self.by_sign_in and not get_adapter().reauthenticate(self.user, ""):
            raise ValidationError(_("You signed in more than ten minutes ago. Sign in again, then repeat this step."))
        if self.by_sign_in:
            return ""
        confirm_password(user=self.user, password=password)
        return password
