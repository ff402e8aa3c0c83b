"""Fields that ask for the address of a web page: what they refuse, and what they say then."""

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from newsletter.desk.setup.brand_step import SiteAddressForm
from newsletter.issues.snapshot.incomplete_parts import find_value_problems
from newsletter.models.body_blocks import ButtonBlock
from tests.support.desk import sign_in

pytestmark = pytest.mark.django_db
NO_PAGE = "This is not the address of a web page."
NOT_TYPED = {"newsletter.Picture.source_url", "newsletter.Source.url", "subscribers.WebhookEndpoint.url"}
"""Fields that are filled in by the program, or that ask for something else than a web page."""


def list_address_fields() -> list[models.Field[str, str]]:
    ours = [*apps.get_app_config("newsletter").get_models(), *apps.get_app_config("subscribers").get_models()]
    return [
        field
        for model in ours
        for field in model._meta.get_fields()
        if isinstance(field, models.URLField) and str(field) not in NOT_TYPED
    ]


@pytest.mark.parametrize("field", list_address_fields(), ids=str)
def test_only_the_address_of_a_web_page_is_taken(field: models.Field[str, str]) -> None:
    asked = field.formfield()
    assert asked
    for typed, message in [
        ("ftp://example.org/join", NO_PAGE),
        ("javascript:alert(1)", NO_PAGE),
        ("https://exa mple.org", NO_PAGE),
        ("info@example.org", "This is an email address."),
        ("mailto:info@example.org", "This is an email address."),
    ]:
        with pytest.raises(ValidationError, match=message):
            asked.clean(typed)
    assert asked.clean(" www.example.org/join ") == "https://www.example.org/join"
    assert asked.clean("http://example.org") == "http://example.org"
    with pytest.raises(ValidationError, match=NO_PAGE):
        field.run_validators("ftp://example.org/join")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("ftp://example.org/join", NO_PAGE),
        ("/about", NO_PAGE),
        ("info@example.org", "This is an email address. Choose “Email” above to link to it."),
    ],
)
def test_a_link_in_a_text_leads_to_a_web_page(typed: str, message: str) -> None:
    answer = sign_in("writer").post("/admin/choose-external-link/", {"external-link-chooser-url": typed}).json()
    assert answer["step"] == "external_link"
    assert message in answer["html"]


def test_a_link_in_a_text_needs_no_scheme() -> None:
    answer = sign_in("writer").post("/admin/choose-external-link/", {"external-link-chooser-url": "example.org"}).json()
    assert answer["result"]["url"] == "https://example.org"


@pytest.mark.parametrize("typed", ["ftp://example.org/join", "info@example.org"])
def test_a_button_that_leads_to_no_web_page_is_unfinished(typed: str) -> None:
    value = {"label": "Join us", "url": typed, "show_to": {}}
    (problem,) = find_value_problems(ButtonBlock(), value, value)
    assert str(problem) == "“Address” is not a web address"


def test_set_up_asks_for_the_address_of_a_web_page() -> None:
    for typed in ("ftp://example.org", "info@example.org"):
        assert "site" in SiteAddressForm({"site": typed}).errors
