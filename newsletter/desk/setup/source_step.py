"""Set up, stories and events: find the feeds of a web site and show what they bring before one is added."""

from typing import Any

from django.contrib import messages
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.desk.content.source_forms import SourceForm
from newsletter.desk.setup.brand_step import SiteAddressForm
from newsletter.desk.setup.pages import StepPage
from newsletter.models import Brand, Source
from newsletter.organisation.site_look import find_sources, read_site_address

SourceStepFields: Any = modelform_factory(Source, form=SourceForm, fields=("name", "kind", "url"))


class SourceStep(StepPage):
    step_slug = "source"
    template_name = "desk/setup/source.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        brand = Brand.objects.first()
        return {
            "site_form": SiteAddressForm(initial={"site": brand.website if brand else ""}),
            "sources": Source.objects.all(),
            **super().get_context_data(**kwargs),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        return self._add(request) if "add" in request.POST else self._find(request)

    def _find(self, request: HttpRequest) -> HttpResponse:
        site_form = SiteAddressForm({"site": read_site_address(request.POST.get("site", ""))})
        if not site_form.is_valid():
            return self.show(site_form=site_form)
        known = set(Source.objects.values_list("url", flat=True))
        try:
            found = find_sources(site_form.cleaned_data["site"], now=timezone.now())
        except DomainError as error:
            site_form.add_error("site", translate(error))
            return self.show(site_form=site_form)
        return self.show(site_form=site_form, found=[one for one in found if one.url not in known], looked=True)

    def _add(self, request: HttpRequest) -> HttpResponse:
        given = {name: request.POST.get(name, "") for name in ("name", "kind", "url")}
        given["name"] = _free_name(given["name"])
        form = SourceStepFields(given, instance=Source(), for_user=request.user)
        if not form.is_valid():
            messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
            return self.show()
        source = form.save()
        log(instance=source, action="wagtail.create", user=request.user)
        messages.success(request, _("“%(source)s” is added. Its stories arrive in a moment.") % {"source": source})
        return self.go_on()


def _free_name(name: str) -> str:
    """Return a name of 120 characters at most that no source has."""
    base = name.strip()[:110] or _("Website")
    number, free = 2, base
    while Source.objects.filter(name=free).exists():
        free, number = f"{base} {number}", number + 1
    return free
