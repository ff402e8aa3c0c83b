"""“Add a source”: ask for an address, show its sources with their first items, and add those that somebody chooses."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import DomainError
from newsletter.common.fields.limited_text import LimitedTextField
from newsletter.common.staff_pages import PermittedPage
from newsletter.common.translation import translate
from newsletter.content.ingesting.apis.source_keys import SEALER
from newsletter.content.ingesting.find_sources import FoundSource, find_sources, try_address
from newsletter.content.ingesting.read_source import name_kind
from newsletter.content.ingesting.source_trial import describe_failed_look
from newsletter.content.parsing.apis.addresses import SourceAddress, read_source_address
from newsletter.content.parsing.apis.kinds import API_KINDS
from newsletter.content.parsing.source_kind import SOURCE_KINDS
from newsletter.content.parsing.text import cut_at_word
from newsletter.desk.content.source_forms import SourceForm
from newsletter.models import Source
from newsletter.organisation.site_look import read_site, read_site_address

_KEY_IN_SESSION = "newsletter_found_source_key"
WHERE_IS_KEY = {
    "ghost": gettext_lazy(
        "In Ghost, open Settings → Integrations → Add custom integration, and copy the “Content API key”."
    ),
    "eventbrite": gettext_lazy("Open eventbrite.com/platform/api-keys, and copy your “private token”."),
    "action_network": gettext_lazy(
        "In Action Network, open Start organizing → Details → API & sync, choose your group, and copy its “API key”."
    ),
    "mobilize": gettext_lazy("Public events need no key. For others, ask Mobilize’s support for one."),
}
FoundSourceFields: Any = modelform_factory(Source, form=SourceForm, fields=("name", "kind", "url"))


class FindSourceForm(forms.Form):
    """The address and, for a system that asks for one, its key. A typed key is never written back into the page."""

    site = LimitedTextField(
        label=gettext_lazy("Web address"),
        max_length=2000,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "www.example.org", "autocomplete": "url"}),
        help_text=gettext_lazy(
            "Your website, its news page, a feed, a calendar, a podcast, a video channel or an API."
        ),
    )
    key = LimitedTextField(
        label=gettext_lazy("Key"),
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("We try it now, keep it encrypted, and never show it again."),
    )


def add_found_source(request: HttpRequest, *, key: str = "") -> Source | None:
    """Add the source that somebody chose, and return it. Return None, and say why on the page, if it cannot be added."""
    fields = {name: request.POST.get(name, "") for name in ("name", "kind", "url")}
    form = FoundSourceFields({**fields, "name": find_free_name(fields["name"]), "key": key}, for_user=request.user)
    if not form.is_valid():
        problems = ((error,) for errors in form.errors.values() for error in errors)
        messages.error(request, format_html_join(" ", "{}", problems))
        return None
    with transaction.atomic():
        source: Source = form.save()
        log(instance=source, action="wagtail.create", user=request.user)
    return source


def find_free_name(name: str) -> str:
    """Return a name of 120 characters at most that no source has."""
    base = cut_at_word(name.strip(), 110) or _("Website")
    number, free = 2, base
    while Source.objects.filter(name=free).exists():
        free, number = f"{base} {number}", number + 1
    return free


class FindSourcePage(PermittedPage):
    """GET asks for an address. POST searches there, or adds a found source. Looking stores nothing."""

    template_name = "desk/find_source.html"
    page_title = gettext_lazy("Add a source")
    header_icon = "globe"
    permission_policy = ModelPermissionPolicy(Source)
    permission_required = "add"

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Sources"), reverse("wagtailsnippets_newsletter_source:list"))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        form = FindSourceForm(initial={"site": self.request.GET.get("site", "")})
        return {"form": form, "known": _list_known(), **super().get_context_data(**kwargs)}

    def post(self, request: HttpRequest) -> HttpResponse:
        if "add" in request.POST:
            source = add_found_source(request, key=self._take_key(request.POST.get("url", "")))
            if source is not None:
                messages.success(request, _("“%(row)s” is added. We read it in a moment.") % {"row": source})
                return redirect("wagtailsnippets_newsletter_source:edit", source.pk)
        form = FindSourceForm(request.POST)
        if not form.is_valid():
            return self._show(form=form)
        kind = "" if "add" in request.POST else request.POST.get("kind", "")
        typed = read_source_address(read_site_address(form.cleaned_data["site"]), kind=kind)
        key = form.cleaned_data["key"].strip() or typed.key
        if typed.kind:
            return self._look_at(typed, form, key=key)
        try:
            _address, found = read_site(form.cleaned_data["site"], partial(find_sources, now=timezone.now()))
        except DomainError as error:
            form.add_error("site", translate(describe_failed_look(error)))
            return self._show(form=form)
        return self._show(form=form, found=found, looked=True)

    def _look_at(self, address: SourceAddress, form: FindSourceForm, *, key: str) -> HttpResponse:
        """Read an address whose kind is known. Ask for the key if its kind needs one."""
        kind = SOURCE_KINDS.get(address.kind)
        form = FindSourceForm({"site": address.url}) if address.key else form
        name = self.request.POST.get("name", "")
        asking: dict[str, Any] = {
            "form": form,
            "kind": address.kind,
            "name": name,
            "where_is_key": WHERE_IS_KEY.get(address.kind, ""),
        }
        if kind is not None and kind.key == "needed" and not key:
            return self._show(asks_key=name_system(address.kind), **asking)
        looked_at = try_address(kind=address.kind, url=address.url, name=name, key=key, now=timezone.now())
        if looked_at.trial.error:
            form.is_valid()
            form.add_error("key" if looked_at.trial.key_refused else "site", translate(looked_at.trial.error))
            takes_key = kind is not None and kind.key in ("needed", "optional")
            return self._show(asks_key=name_system(address.kind) if takes_key else "", **asking)
        if key:
            self.request.session[_KEY_IN_SESSION] = {"url": address.url, "key": SEALER.seal(key)}
        return self._show(form=form, found=[looked_at], looked=True)

    def _take_key(self, url: str) -> str:
        """Return the key with which this address was read a moment ago. It is kept sealed, and for this address only."""
        stored = self.request.session.get(_KEY_IN_SESSION, {})
        return (SEALER.unseal(stored["key"]) or "") if stored.get("url") == url else ""

    def _show(self, *, found: list[FoundSource] | None = None, **context: object) -> HttpResponse:
        cards = [(one, translate(name_kind(one.kind))) for one in found or []]
        return self.render_to_response(self.get_context_data(found=cards, **context))


def name_system(kind: str) -> str:
    """Return the name of the system that asks for a key."""
    return API_KINDS[kind].name if kind in API_KINDS else translate(name_kind(kind))


def _list_known() -> dict[str, Source]:
    return {source.url: source for source in Source.objects.all()}
