"""Register the pages and the menu item of “Set up” with Wagtail."""

from django.urls import URLPattern, re_path
from django.urls import path as route
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from newsletter.desk.setup.brand_step import BrandStep
from newsletter.desk.setup.domain_step import DomainStep
from newsletter.desk.setup.list_step import ListStep
from newsletter.desk.setup.pages import SetupOverview, skip
from newsletter.desk.setup.people_step import PeopleStep
from newsletter.desk.setup.proof_step import ProofStep
from newsletter.desk.setup.provider_step import ProviderStep
from newsletter.desk.setup.publication_step import PublicationStep
from newsletter.desk.setup.source_step import SourceStep
from newsletter.desk.setup.steps import can_set_up
from subscribers.desk.listing import PermittedMenuItem

PAGES = (BrandStep, ListStep, SourceStep, PublicationStep, PeopleStep, ProviderStep, DomainStep, ProofStep)


def register_admin_urls() -> list[URLPattern]:
    return [
        route("setup/", SetupOverview.as_view(), name="newsletter_setup"),
        re_path(
            rf"^setup/skip/(?P<step>{'|'.join(page.step_slug for page in PAGES)})/$", skip, name="newsletter_setup_skip"
        ),
        *(
            route(f"setup/{page.step_slug}/", page.as_view(), name=f"newsletter_setup_{page.step_slug}")
            for page in PAGES
        ),
    ]


def add_setup() -> PermittedMenuItem:
    return PermittedMenuItem(
        _("Set up"), "newsletter_setup", name="setup", icon_name="tick-inverse", order=50, is_permitted=can_set_up
    )


hooks.register("register_admin_urls", register_admin_urls)
hooks.register("register_settings_menu_item", add_setup)
