"""The finished looks in the desk: staff choose one by its picture, in a brand and in “Set up”."""

import json

import pytest
from django.utils.html import escape

from newsletter.models import Brand
from newsletter.organisation.starter_brands import load_starters
from tests.support.desk import sign_in
from tests.support.desk_forms import save
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db
ORGANISATION = {"name": "Open Door", "postal_address": "1 Example Street, Leeds"}


@pytest.mark.parametrize("page", ["/admin/brand/add/", "/admin/setup/brand/?plain"])
def test_a_new_brand_shows_each_finished_look_by_its_picture(page: str) -> None:
    html = compact_html(sign_in("admin").get(page).content.decode())
    assert html.count('data-nl-look="') == len(load_starters())
    for starter in load_starters().values():
        assert f'src="/static/{starter.picture}" alt="{escape(starter.about)}"' in html
        assert escape(json.dumps(starter.look())) in html
    assert html.count("newsletter/brand_looks.js") == 1


@pytest.mark.parametrize(
    ("page", "where"),
    [
        ("/admin/brand/add/", "It fills in the colours, fonts, corners and masthead below, which you can change."),
        ("/admin/setup/brand/?plain", "You can change its corners and masthead later, under Brands."),
    ],
)
def test_the_finished_looks_link_the_page_that_changes_each_part(page: str, where: str) -> None:
    client = sign_in("admin")
    html = client.get(page).content.decode()
    assert where in html
    assert ("masthead below" in html) == ("setup" not in page)


@pytest.mark.parametrize("slug", sorted(load_starters()))
def test_a_brand_saves_each_finished_look_as_it_is(slug: str) -> None:
    look = load_starters()[slug].look()
    save(sign_in("admin"), "/admin/brand/add/", **ORGANISATION, **look)
    brand = Brand.objects.get()
    assert {name: getattr(brand, name) for name in look} == look


def test_set_up_saves_the_corners_and_masthead_of_a_look_and_keeps_them() -> None:
    client, look = sign_in("admin"), load_starters()["olive"].look()
    client.post("/admin/setup/brand/", {**ORGANISATION, **look})
    brand = Brand.objects.get()
    assert {name: getattr(brand, name) for name in look} == look
    fields = {name: value for name, value in look.items() if name not in {"radius", "masthead"}}
    client.post("/admin/setup/brand/", {**ORGANISATION, **fields})
    brand.refresh_from_db()
    assert (brand.radius, brand.masthead) == (look["radius"], look["masthead"])
