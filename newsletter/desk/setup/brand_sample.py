"""The sample email beside the form of step 1: with the colours, logo and fonts that the form has now. Nothing is saved."""

from contextlib import suppress

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.generic import View

from newsletter.desk.editor.preview import DEFAULT_MODE, show_mail_part
from newsletter.desk.preview.panel import show_or_explain
from newsletter.desk.publications.brands import make_sample_issue
from newsletter.desk.setup.brand_step import BrandStepFields
from newsletter.desk.setup.steps import REQUIRED_PERMISSION
from newsletter.issues.snapshot.completeness import resolve_complete_content
from newsletter.models import Brand
from subscribers.desk.person_actions import require_permission

_COLOURS = ("colour", "accent", "background")


class BrandSample(View):
    """An iframe: GET shows the saved look, POST that of the form."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_permission(request, REQUIRED_PERMISSION)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(Brand.objects.find_main() or Brand())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = BrandStepFields(
            request.POST, request.FILES, instance=Brand.objects.find_main() or Brand(), for_user=request.user
        )
        form.is_valid()
        brand = form.instance
        for name in _COLOURS:  # also those that are too pale to be saved: the mail corrects them
            with suppress(ValidationError):
                setattr(brand, name, form.fields[name].clean(form[name].data))
        return self._show(brand)

    def _show(self, brand: Brand) -> HttpResponse:
        brand.name = brand.name or _("Your organisation")

        def show(mode: str) -> HttpResponse:
            content = resolve_complete_content(make_sample_issue(brand))
            return show_mail_part(content, mode=mode, request=self.request)

        return show_or_explain(show, DEFAULT_MODE, request=self.request)
