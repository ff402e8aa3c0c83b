"""The form field for a person's consent in a story."""

from typing import TYPE_CHECKING, Any

from django import forms

from newsletter.models.content.consent import Channel

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SHOWN_CHANNELS = (Channel.EMAIL, Channel.ARCHIVE)
"""The channels that the product has. Consent to others is kept and not shown, because nothing reads it."""


class ChannelsField(forms.MultipleChoiceField):
    """The channels in which the person agreed to appear."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *, label: "_StrPromise") -> None:
        super().__init__(
            choices=[(channel.value, channel.label) for channel in SHOWN_CHANNELS], required=False, label=label
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return sorted(set(initial or []) & set(SHOWN_CHANNELS)) != sorted(data or [])
