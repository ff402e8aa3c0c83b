"""The account page of each member of staff: name, language, password."""

from typing import Any

from wagtail.admin.forms.account import NameEmailForm
from wagtail.admin.forms.auth import PasswordChangeForm
from wagtail.admin.views.account import (
    AccountView,
    ChangePasswordPanel,
    NameEmailSettingsPanel,
    NotificationsSettingsPanel,
)

from subscribers.desk.password import confirm_password


class NewPasswordForm(PasswordChangeForm):
    """A form on which a wrong old password counts and is logged as at sign-in."""

    def clean_old_password(self) -> str:
        password = str(self.cleaned_data["old_password"])
        confirm_password(user=self.user, password=password)
        return password


class NewPasswordPanel(ChangePasswordPanel):
    form_class = NewPasswordForm

    def get_form(self) -> Any:
        """Return one form for the whole request, because each check of the old password counts as an attempt."""
        if not hasattr(self.request, "new_password_form"):
            self.request.new_password_form = super().get_form()
        return self.request.new_password_form


class NameForm(NameEmailForm):
    """A form without a required name, so that somebody can save only their language."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first_name", "last_name"):
            self.fields[name].required = False


class NamePanel(NameEmailSettingsPanel):
    form_class = NameForm


REPLACED_PANELS: dict[type, type] = {ChangePasswordPanel: NewPasswordPanel, NameEmailSettingsPanel: NamePanel}


class AccountPage(AccountView):
    def get_panels(self) -> list[Any]:
        """Return the panels without Wagtail's notifications, which are about pages and workflows that the desk has not."""
        panels = [panel for panel in super().get_panels() if not isinstance(panel, NotificationsSettingsPanel)]
        return [
            REPLACED_PANELS.get(type(panel), type(panel))(panel.request, panel.user, panel.profile) for panel in panels
        ]
