"""The log-in form: staff are known by their email address."""

from typing import Any

from django import forms
from wagtail.admin.forms.auth import LoginForm


class EmailLoginForm(LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["username"]
        field.label = "Email"
        field.widget = forms.EmailInput(
            attrs={"autofocus": "", "autocomplete": "username", "placeholder": "you@example.org"}
        )
        self.error_messages["invalid_login"] = "This email and password do not belong together. Please try again."
