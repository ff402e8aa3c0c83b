"""The form of a source. It tries a new address before it saves it."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.admin.forms.models import WagtailAdminModelForm

from newsletter.common.translation import translate
from newsletter.content.ingesting.source_changes import schedule_changed_source
from newsletter.content.ingesting.try_source import SourceTrial, try_source


class SourceForm(WagtailAdminModelForm):
    """``trial`` is the result of the first reading of a new address, or None if the address was not tried."""

    trial: SourceTrial | None = None

    def clean(self) -> Any:
        cleaned = super().clean()
        url, kind = cleaned.get("url"), cleaned.get("kind")
        if url and kind and cleaned.get("enabled") and not {"url", "kind", "enabled"}.isdisjoint(self.changed_data):
            self.trial = try_source(kind=kind, url=url, now=timezone.now())
            if self.trial.error:
                self.add_error(
                    "url",
                    _(
                        "We could not read this address: %(error)s Correct it, choose another kind, or switch off “In use”"
                        " to save it without reading it."
                    )
                    % {"error": translate(self.trial.error)},
                )
        return cleaned

    def save(self, commit: bool = True) -> Any:
        schedule_changed_source(self.instance, changed=self.changed_data, now=timezone.now())
        return super().save(commit=commit)
