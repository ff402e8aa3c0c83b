"""The form of a webhook: name, address and the events that it gets."""

from django import forms
from django.utils.translation import gettext_lazy

from newsletter.common.fields.limited_text import LimitedTextsMixin
from newsletter.outbound.endpoints import CHOICES
from subscribers.models import EventKind, WebhookEndpoint

GROUPS = (
    (gettext_lazy("People"), ("person.", "import.")),
    (gettext_lazy("Stories and events"), ("story.", "event.")),
    (gettext_lazy("Issues and results"), ("issue.", "send.", "gift.")),
)


def list_grouped_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the events to choose from, under the heading of their kind."""
    return [
        (str(title), [(kind.value, str(kind.label)) for kind in CHOICES if kind.startswith(prefixes)])
        for title, prefixes in GROUPS
    ]


class EndpointForm(LimitedTextsMixin, forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Received by"),
        max_length=120,
        help_text=gettext_lazy("Which system receives it, such as “Donor database”."),
    )
    url = forms.URLField(
        label=gettext_lazy("Address"),
        max_length=2000,
        assume_scheme="https",
        help_text=gettext_lazy("Where that system takes webhooks. Its own manual says so."),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        required=False,
        choices=list_grouped_choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Choose none to send all of them, and those that are added later."),
    )

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> "EndpointForm":
        """Return the form filled in with a stored endpoint."""
        return cls(initial={"name": endpoint.name, "url": endpoint.url, "kinds": endpoint.kinds})


class ReplayForm(LimitedTextsMixin, forms.Form):
    message_id = forms.CharField(
        label=gettext_lazy("Id of one event"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("As in the header webhook-id, such as evt_…"),
    )
    since = forms.DateTimeField(
        label=gettext_lazy("or everything since"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=gettext_lazy("Events are kept for 30 days."),
    )

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if bool(cleaned.get("message_id")) == bool(cleaned.get("since")) and not self.errors:
            raise forms.ValidationError(gettext_lazy("Give the id of one event or a moment, and not both."))
        return cleaned


def label_kinds(kinds: list[str]) -> list[str]:
    """Return the events in words."""
    return [str(EventKind(kind).label) for kind in kinds if kind in EventKind.values]
