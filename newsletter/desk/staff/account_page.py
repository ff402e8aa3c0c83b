"""The account page of each member of staff: name, language, password."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from wagtail.admin.forms.account import LocalePreferencesForm, NameEmailForm
from wagtail.admin.forms.auth import PasswordChangeForm
from wagtail.admin.views.account import (
    AccountView,
    ChangePasswordPanel,
    LocaleSettingsPanel,
    NameEmailSettingsPanel,
    NotificationsSettingsPanel,
)

from newsletter.common.fields.limited_text import LimitedTextsMixin
from newsletter.desk.content.wall_clock import label_zone
from newsletter.desk.content.zone_choices import zone_choices
from newsletter.organisation.accounts.administrators import may_use_password
from subscribers.desk.password import confirm_password


class NewPasswordForm(PasswordChangeForm):
    """A form on which a wrong old password counts and is logged as at sign-in."""

    def clean_old_password(self) -> str:
        password = str(self.cleaned_data["old_password"])
        confirm_password(user=self.user, password=password)
        return password

    def validate_password_for_user(self, user: User, password_field_name: str = "") -> None:
        """Check the first of the two passwords. Django checks the second, which an error may have removed already."""
        super().validate_password_for_user(user, "new_password1")


class NewPasswordPanel(ChangePasswordPanel):
    form_class = NewPasswordForm

    def is_active(self) -> bool:
        return bool(super().is_active()) and may_use_password(self.user)

    def get_form(self) -> object:
        """Return one form for the whole request, because each check of the old password counts as an attempt."""
        if not hasattr(self.request, "new_password_form"):
            self.request.new_password_form = super().get_form()
        return self.request.new_password_form


class NameForm(LimitedTextsMixin, NameEmailForm):
    """A form without a required name, so that somebody can save only their language."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first_name", "last_name"):
            self.fields[name].required = False


class NamePanel(NameEmailSettingsPanel):
    form_class = NameForm


class LocaleForm(LocalePreferencesForm):
    """A form with the time zones by continent and town, and with the languages as they call themselves."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        languages = dict(settings.LANGUAGES)
        desk_language = _("Language of the desk (%(language)s)") % {"language": languages[settings.LANGUAGE_CODE]}
        self.fields["preferred_language"].choices = [("", desk_language), *languages.items()]
        if "current_time_zone" in self.fields:
            desk = ("", _("Time zone of the desk (%(zone)s)") % {"zone": label_zone(settings.TIME_ZONE)})
            choices = zone_choices(self.instance.current_time_zone, unset=desk[1])
            self.fields["current_time_zone"] = forms.ChoiceField(
                label=_("Time zone"), required=False, choices=choices if choices[0] == desk else [desk, *choices]
            )


class LocalePanel(LocaleSettingsPanel):
    form_class = LocaleForm


REPLACED_PANELS: dict[type, type] = {
    ChangePasswordPanel: NewPasswordPanel,
    NameEmailSettingsPanel: NamePanel,
    LocaleSettingsPanel: LocalePanel,
}


class AccountPage(AccountView):
    def get_panels(self) -> list[Any]:
        """Return the panels without Wagtail's notifications, which are about pages and workflows that the desk has not."""
        panels = [panel for panel in super().get_panels() if not isinstance(panel, NotificationsSettingsPanel)]
        return [
            REPLACED_PANELS.get(type(panel), type(panel))(panel.request, panel.user, panel.profile) for panel in panels
        ]
