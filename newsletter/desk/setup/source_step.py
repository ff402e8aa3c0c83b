"""Set up, stories and events: find the feeds of a web site and show their content before one is added."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.content.ingesting.find_sources import find_sources
from newsletter.content.ingesting.source_trial import describe_failed_look
from newsletter.content.parsing.source_kind import gives_events
from newsletter.desk.content.find_sources import add_found_source
from newsletter.desk.setup.brand_step import SiteAddressForm
from newsletter.desk.setup.pages import StepPage
from newsletter.desk.setup.steps import take_up_step
from newsletter.models import Brand, Source
from newsletter.organisation.site_look import read_site, read_site_address


class SourceStep(StepPage):
    step_slug = "source"
    template_name = "desk/setup/source.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        brand = Brand.objects.find_main()
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
        try:
            address, found = read_site(request.POST.get("site", ""), partial(find_sources, now=timezone.now()))
        except DomainError as error:
            site_form.add_error("site", translate(describe_failed_look(error)))
            return self.show(site_form=site_form)
        site_form = SiteAddressForm({"site": address})
        existing_urls = set(Source.objects.values_list("url", flat=True))
        return self.show(site_form=site_form, found=found, known=existing_urls, looked=True)

    def _add(self, request: HttpRequest) -> HttpResponse:
        """Add a source and show what else the site offers. A page that is sent again adds nothing."""
        if Source.objects.filter(url=request.POST.get("url", "")).exists():
            return self._find(request)
        source = add_found_source(request)
        if source is None:
            return self._find(request)
        take_up_step(self.step)
        text = _("“%(source)s” is added. Its stories arrive in a moment.")
        if gives_events(source.kind):
            text = _("“%(source)s” is added. Its events arrive in a moment.")
        messages.success(request, text % {"source": source})
        return self._find(request)
