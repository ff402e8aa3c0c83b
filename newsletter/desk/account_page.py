"""Everybody's own page of the desk, on which the old password is asked for as everywhere: a few tries, each on record."""

from typing import Any

from wagtail.admin.forms.auth import PasswordChangeForm
from wagtail.admin.views.account import AccountView, ChangePasswordPanel

from subscribers.desk.password import check_password_again


class NewPasswordForm(PasswordChangeForm):
    def clean_old_password(self) -> str:
        password = str(self.cleaned_data["old_password"])
        check_password_again(user=self.user, password=password)
        return password


class NewPasswordPanel(ChangePasswordPanel):
    form_class = NewPasswordForm

    def get_form(self) -> Any:
        """One form a request: each check of the old password counts as a try, and the page is drawn from the form too."""
        if not hasattr(self.request, "new_password_form"):
            self.request.new_password_form = super().get_form()
        return self.request.new_password_form


class AccountPage(AccountView):
    def get_panels(self) -> list[Any]:
        return [
            NewPasswordPanel(panel.request, panel.user, panel.profile)
            if isinstance(panel, ChangePasswordPanel)
            else panel
            for panel in super().get_panels()
        ]
