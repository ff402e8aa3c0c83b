"""Set up, the organisation: name, address and look, taken from the web site if there is one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.fields.web_address import WebAddressFormField
from newsletter.common.translation import translate
from newsletter.content.ingesting.source_trial import describe_failed_look
from newsletter.desk.publications.brand_forms import FONTS, BrandForm, looks_panel_context
from newsletter.desk.setup.pages import StepPage
from newsletter.models import Brand, Picture
from newsletter.organisation.logos import BRAND
from newsletter.organisation.site_look import SiteLook, look_at_site, read_site, read_site_address
from subscribers.desk.editing.short_name_form import CleanedData

_LOOK_FIELDS = ("colour", "accent", "background", "font", "heading_font", "radius", "masthead")
FIELDS = ("name", "postal_address", "website", "privacy_url", *_LOOK_FIELDS)
_SERIF_NAMES = ("serif", "georgia", "garamond", "merriweather", "playfair", "lora", "times", "palatino", "baskerville")


class SiteAddressForm(forms.Form):
    site = WebAddressFormField(
        label=gettext_lazy("Your website"),
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "www.example.org"}),
        error_messages={
            "invalid": gettext_lazy("This is not a web address. Write one such as www.example.org, or fill in by hand.")
        },
    )


class BrandStepForm(BrandForm):
    """The brand's form without its rarer fields. ``site_logo`` is the logo that was found on the web site.

    Only a finished look changes ``radius`` and ``masthead``, which are hidden.
    """

    data: Any

    site_logo = forms.ModelChoiceField(
        Picture.objects.filter(withdrawn_at__isnull=True), required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in ("logo_dark_file", "social", "gift_hosts"):
            del self.fields[name]
        self.fields["name"].label = _("Name of your organisation")
        self.fields["postal_address"].required = True
        for name in ("radius", "masthead"):
            self.fields[name].widget, self.fields[name].required = forms.HiddenInput(), False

    def clean(self) -> CleanedData:
        if logo := self.cleaned_data.get("site_logo"):
            self.instance.logo = logo
        cleaned: CleanedData = super().clean()
        if self.keeps_file("logo_file"):
            self.data = {**self.data.dict(), self.add_prefix("site_logo"): str(self.instance.logo.pk)}
        return cleaned

    def keeps_file(self, name: str) -> bool:
        """The form carries an uploaded logo from one error to the next, like the logo of the web site."""
        return name == "logo_file" and bool(self.cleaned_data.get(name)) and name not in self.errors


BrandStepFields: Any = modelform_factory(Brand, form=BrandStepForm, fields=FIELDS)


class BrandStep(StepPage):
    step_slug = "brand"
    template_name = "desk/setup/brand.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        brand = Brand.objects.find_main()
        return {
            "site_form": SiteAddressForm(initial={"site": brand.website if brand else ""}),
            "form": self._make_form() if brand or "plain" in self.request.GET else None,
            **looks_panel_context(brand or Brand()),
            **super().get_context_data(**kwargs),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if "look" in request.POST:
            return self._look(request)
        form = self._make_form(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form=form, logo=form.instance.logo)
        created = form.instance.pk is None
        if created:
            form.instance.slug = BRAND
        with transaction.atomic():
            brand = form.save()
            log(instance=brand, action="wagtail.create" if created else "wagtail.edit", user=request.user)
        return self.go_on()

    def _look(self, request: HttpRequest) -> HttpResponse:
        site_form = SiteAddressForm({"site": read_site_address(request.POST.get("site", ""))})
        if not site_form.is_valid():
            return self.show(site_form=site_form)
        try:
            address, look = read_site(request.POST.get("site", ""), look_at_site)
        except DomainError as error:
            site_form.add_error("site", translate(describe_failed_look(error)))
            return self.show(site_form=site_form, unreadable=True)
        site_form = SiteAddressForm({"site": address})
        messages.success(request, _("We looked at your website. Check what we found, and change what you like."))
        return self.show(
            site_form=site_form, form=self._make_form(initial=find_values(look)), look=look, logo=look.logo
        )

    def _make_form(self, *data: object, initial: dict[str, object] | None = None) -> BrandStepForm:
        form: BrandStepForm = BrandStepFields(
            *data, instance=Brand.objects.find_main() or Brand(), initial=initial, for_user=self.request.user
        )
        return form


def find_values(look: SiteLook) -> dict[str, object]:
    """Return the form's values from the web site."""
    values: dict[str, object] = {
        "website": look.website,
        "colour": look.colours.colour,
        "accent": look.colours.accent,
        "background": look.colours.background,
        "font": choose_font(look.colours.font),
        "site_logo": look.logo.pk if look.logo else None,
    }
    if look.privacy_url:
        values["privacy_url"] = look.privacy_url
    if look.name:
        values["name"] = look.name
    heading = choose_font(look.colours.heading_font) if look.colours.heading_font else ""
    values["heading_font"] = heading if heading != values["font"] else ""
    return values


def choose_font(families: str) -> str:
    """Return the email font that is nearest to a site's CSS list of fonts."""
    names = families.lower()
    for font, label in FONTS:
        if label.split(",")[0].lower() in names:
            return font
    serif = any(name in names.replace("sans-serif", "") for name in _SERIF_NAMES) or not names
    return FONTS[0][0] if serif else FONTS[3][0]
