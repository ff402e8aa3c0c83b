"""The form of a source. It tries a new address before it saves it."""

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm

from newsletter.common.errors import DomainError, NotReady
from newsletter.common.fields.limited_text import LimitedTextsMixin
from newsletter.common.translation import translate
from newsletter.content.ingesting.apis.source_keys import may_keep_key, open_key, seal_key
from newsletter.content.ingesting.find_sources import find_sources
from newsletter.content.ingesting.read_source import name_kind
from newsletter.content.ingesting.source_changes import apply_floating_zone, schedule_changed_source
from newsletter.content.ingesting.source_trial import SourceTrial, describe_failed_look, try_source
from newsletter.content.parsing.apis.addresses import read_source_address
from newsletter.content.parsing.source_kind import SOURCE_KINDS, gives_events
from newsletter.desk.content.language_select import make_language_select
from newsletter.desk.content.region_fields import RegionField
from newsletter.desk.content.zone_choices import zone_choices
from newsletter.models import Source
from subscribers.desk.editing.short_name_form import CleanedData


def list_keyed_kinds() -> list[str]:
    """Return the kinds whose sources may have a key. That of a calendar is in its secret address."""
    return [name for name, kind in SOURCE_KINDS.items() if kind.key != "none"]


def list_event_kinds() -> list[str]:
    return [name for name in SOURCE_KINDS if gives_events(name)]


def list_kind_choices() -> list[tuple[str, str]]:
    """Return every kind of source that is installed, with its name for the reader."""
    return [(name, translate(name_kind(name))) for name in SOURCE_KINDS]


class SourceForm(LimitedTextsMixin, WagtailAdminModelForm):
    """A form that finds the kind of a source from its address, unless somebody chooses it by hand.

    ``trial`` is the result of the first reading of a new address, or None if the address was not tried. ``keeps_key``: the saved
    key belongs to the address and kind that were entered.
    """

    trial: SourceTrial | None = None
    keeps_key = False
    region = RegionField()
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        required=False,
        choices=lambda: [("", _("Find it from the address")), *list_kind_choices()],
    )

    key = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        max_length=500,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy(
            "Ghost, Eventbrite and Action Network ask for a key. We keep it encrypted and never show it again."
        ),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        saved_kind = self.instance.kind
        if "kind" in self.fields and saved_kind and saved_kind not in SOURCE_KINDS:
            # Somebody may turn the source off, or give it another kind. No content is lost in that time.
            self.fields["kind"].choices = [*self.fields["kind"].choices, (saved_kind, translate(name_kind(saved_kind)))]
        if "every_minutes" in self.fields:
            self.fields["every_minutes"].help_text = ""
        if "key" in self.fields and self.instance.sealed_key:
            self.fields["key"].help_text = _(
                "A key is saved. Leave this empty to keep it. If you change the web address or the kind, type the key again."
            )
        if "floating_zone" in self.fields:
            current, unset = self.instance.floating_zone, _("Not known: ask each time")
            choices = zone_choices(current, unset=unset)
            self.fields["floating_zone"].widget = forms.Select(choices=[("", unset), *choices] if current else choices)
        if "language" in self.fields:
            self.fields["language"].widget = make_language_select(self.instance.language, unset=_("As its stories say"))

    def clean(self) -> CleanedData:
        cleaned: CleanedData = super().clean()
        self._read_address(cleaned)
        if cleaned.get("url") and not cleaned.get("kind"):
            self._find_kind(cleaned)
        url, kind = cleaned.get("url"), cleaned.get("kind")
        self.keeps_key = may_keep_key(self.instance, url=url or self.instance.url, kind=kind or self.instance.kind)
        if url and (same := Source.objects.filter(url=url).exclude(pk=self.instance.pk).first()):
            link = reverse("wagtailsnippets_newsletter_source:edit", args=[same.pk])
            text = _("You already have this source:")
            self.add_error("url", format_html('{} <a href="{}">{}</a>', text, link, same.name))
            return cleaned
        if (
            self.trial is None
            and url
            and kind
            and cleaned.get("enabled")
            and not {"url", "kind", "enabled", "key"}.isdisjoint(self.changed_data)
        ):
            self.trial = try_source(kind=kind, url=url, key=self._find_key(cleaned), now=timezone.now())
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

    def _read_address(self, cleaned: CleanedData) -> None:
        """Take the key out of a pasted address, and put the address into its usual form."""
        address = read_source_address(cleaned.get("url") or "", kind=cleaned.get("kind") or "")
        if address.url:
            cleaned["url"], cleaned["kind"] = address.url, address.kind
            cleaned["key"] = cleaned.get("key") or address.key

    def _find_key(self, cleaned: CleanedData) -> str:
        """Return the typed key, else the saved one if it is kept."""
        if cleaned.get("key") or not self.keeps_key:
            return cleaned.get("key") or ""
        try:
            return open_key(self.instance)
        except NotReady:
            return ""

    def _find_kind(self, cleaned: CleanedData) -> None:
        """Find the source at the address: set a missing kind, and replace a site's address by that of its first feed."""
        try:
            sources = [source for source in find_sources(cleaned["url"], now=timezone.now()) if not source.needs_key]
        except DomainError as error:
            self.add_error("url", translate(describe_failed_look(error)))
            return
        if not sources:
            self.add_error(
                "url",
                _(
                    "We found no stories or events at this address. Try the address of your news or blog page, or choose the"
                    " kind by hand."
                ),
            )
            return
        first = next((source for source in sources if source.url == cleaned["url"]), sources[0])
        cleaned["kind"], cleaned["url"], self.trial = first.kind, first.url, first.trial

    def save(self, commit: bool = True) -> Source:
        now = timezone.now()
        schedule_changed_source(self.instance, changed=self.changed_data, now=now)
        is_keyed = self.instance.kind in list_keyed_kinds() or self.instance.kind not in SOURCE_KINDS
        key = self.cleaned_data.get("key") if is_keyed else ""
        if key or not self.keeps_key or not is_keyed:
            self.instance.sealed_key = seal_key(key or "")
        source: Source = super().save(commit=commit)
        if commit:
            apply_floating_zone(source, changed=self.changed_data, now=now)
        return source
