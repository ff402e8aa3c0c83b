"""The form of a new API key: what uses it, what it may do, for which lists, and how often."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from newsletter.api_keys import DAYS, MAX_DAYS
from newsletter.common.fields.limited_text import LimitedTextsMixin
from newsletter.models import ApiScope
from newsletter.models.api_keys import DEFAULT_CALLS_PER_MINUTE, MAX_CALLS_PER_MINUTE
from subscribers.models import MailingList

GROUPS = (
    (gettext_lazy("People and lists"), ("people:", "lists:")),
    (gettext_lazy("Stories and issues"), ("content:", "issues:", "sends:")),
    (gettext_lazy("Single mails"), ("mails:",)),
    (gettext_lazy("For a website, a donor database or a report"), ("website", "people", "read", "gifts")),
)


def list_grouped_scopes() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the scopes to choose from, under the heading of their kind."""

    def belongs(scope: ApiScope, names: tuple[str, ...]) -> bool:
        return f"{scope.partition(':')[0]}:" in names if ":" in scope else scope.value in names

    return [
        (str(title), [(scope.value, capfirst(str(scope.label))) for scope in ApiScope if belongs(scope, names)])
        for title, names in GROUPS
    ]


class ApiKeyForm(LimitedTextsMixin, forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Used by"),
        max_length=120,
        help_text=gettext_lazy("What uses the key, such as “Web site” or “Donor database”."),
    )
    scope = forms.MultipleChoiceField(
        label=gettext_lazy("Permissions"),
        choices=list_grouped_scopes,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Choose as few as the system needs."),
    )
    lists = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only these lists"),
        queryset=MailingList.objects.filter(archived=False),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("The key reaches only these lists and the people on them. Choose none for all lists."),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Expires after days"),
        initial=DAYS,
        required=False,
        min_value=1,
        max_value=MAX_DAYS,
        help_text=gettext_lazy("You can revoke the key at any time before."),
    )
    calls_per_minute = forms.IntegerField(
        label=gettext_lazy("Calls per minute"),
        initial=DEFAULT_CALLS_PER_MINUTE,
        required=False,
        min_value=1,
        max_value=MAX_CALLS_PER_MINUTE,
        help_text=gettext_lazy("Further calls in the same minute are refused."),
    )

    def values(self) -> dict[str, Any]:
        """Return the arguments for `make_key`."""
        cleaned = self.cleaned_data
        return {
            "name": cleaned["name"],
            "scope": " ".join(cleaned["scope"]),
            "lists": cleaned["lists"] or None,
            "days": cleaned["days"] or DAYS,
            "calls_per_minute": cleaned["calls_per_minute"] or DEFAULT_CALLS_PER_MINUTE,
        }
