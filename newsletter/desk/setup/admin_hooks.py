"""Register the pages and the menu item of “Set up” with Wagtail."""

from django.http import HttpRequest
from django.urls import path as route
from django.urls import re_path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.widgets.button import Button

from newsletter.desk.setup.brand_step import BrandStep
from newsletter.desk.setup.domain_step import DomainStep
from newsletter.desk.setup.pages import SetupOverview, skip
from newsletter.desk.setup.proof_step import ProofStep
from newsletter.desk.setup.provider_step import ProviderStep
from newsletter.desk.setup.publication_step import PublicationStep
from newsletter.desk.setup.source_step import SourceStep
from newsletter.desk.setup.step_pages import BrandSample, ListStep, PeopleStep
from newsletter.desk.setup.steps import can_set_up, list_states
from subscribers.desk.imports.views import BUTTONS_HOOK
from subscribers.desk.listing import register_page_item, register_pages

PAGES = (BrandStep, ListStep, SourceStep, PublicationStep, PeopleStep, ProviderStep, DomainStep, ProofStep)


def offer_way_back(request: HttpRequest) -> list[Button]:
    """Return the button back to the set-up for the page of a finished import, until every step is done or skipped."""
    if can_set_up(request.user) and any(step.state == "open" for step in list_states()):
        return [Button(_("Back to set-up"), url=reverse("newsletter_setup"))]
    return []


hooks.register(BUTTONS_HOOK, offer_way_back)
register_pages(
    route("setup/", SetupOverview.as_view(), name="newsletter_setup"),
    re_path(
        rf"^setup/skip/(?P<step>{'|'.join(page.step_slug for page in PAGES)})/$", skip, name="newsletter_setup_skip"
    ),
    route("setup/brand/sample/", BrandSample.as_view(), name="newsletter_setup_brand_sample"),
    *(route(f"setup/{page.step_slug}/", page.as_view(), name=f"newsletter_setup_{page.step_slug}") for page in PAGES),
)
register_page_item(SetupOverview, "newsletter_setup", name="setup", order=50)
