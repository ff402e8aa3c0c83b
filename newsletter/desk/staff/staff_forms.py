"""The forms of staff accounts, and the roles in one plain sentence each."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from newsletter.common.fields.limited_text import LimitedTextsMixin
from newsletter.organisation.accounts.staff import MAX_EMAIL_LENGTH, role_of

ROLE_NAMES = {
    "admin": _("Administrator"),
    "data": _("Data manager"),
    "approver": _("Approver"),
    "editor": _("Editor"),
    "writer": _("Writer"),
}
"""The highest role first."""
ROLE_CHOICES = [
    ("writer", _("Writer: edits issues, stories and events")),
    ("editor", _("Editor: a writer who also adds and removes content, appeals and sources")),
    ("approver", _("Approver: an editor who also approves issues and sends them")),
    ("data", _("Data manager: looks after subscribers, lists, segments, imports and exports")),
    ("admin", _("Administrator: can do all of this, and changes brands, publications and staff")),
]


class StaffForm(LimitedTextsMixin, forms.Form):
    email = forms.EmailField(
        label=_("Email"), max_length=MAX_EMAIL_LENGTH, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    first_name = forms.CharField(label=_("First name (optional)"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name (optional)"), max_length=150, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES, widget=forms.RadioSelect)


class InvitationForm(StaffForm):
    language = forms.ChoiceField(label=_("Language of the desk"), choices=settings.LANGUAGES)
    field_order = ["email", "first_name", "last_name", "language", "role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].initial = get_language()


class AccountForm(StaffForm):
    active = forms.BooleanField(
        label=_("May sign in"),
        required=False,
        help_text=_("Untick it when somebody leaves. What they did stays in the staff log."),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        names = ("email", "first_name", "last_name")
        initial = {name: getattr(person, name) for name in names} | {
            "role": role_of(person),
            "active": person.is_active,
        }
        super().__init__(*args, **{**kwargs, "initial": initial})
        if person.is_superuser:
            del self.fields["role"]
