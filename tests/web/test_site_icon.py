"""The icon of the site, which browsers ask for beside every page. It says nothing about who asks."""

from io import BytesIO

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.utils import timezone
from PIL import Image

from newsletter.models import Brand, Picture
from newsletter.models.brands import BrandQuerySet
from newsletter.web.pictures import CACHE_SECONDS
from tests.support.desk import sign_in
from tests.support.fixtures import make_publication

pytestmark = pytest.mark.django_db


def show_colour_of_drawn_icon() -> tuple[int, ...]:
    answer = Client().get("/favicon.ico")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    image = Image.open(BytesIO(answer.content)).convert("RGBA")
    assert image.size == (64, 64)
    pixel = image.getpixel((32, 4))
    assert isinstance(pixel, tuple)
    return pixel


def put_logo(width: int, height: int) -> Picture:
    make_publication()
    logo = Picture.objects.create(file="logo.png", sha256="0" * 64, width=width, height=height)
    Brand.objects.update(logo=logo)
    return logo


def test_a_new_site_has_a_neutral_icon() -> None:
    assert show_colour_of_drawn_icon() == (0x4A, 0x55, 0x60, 255)


def test_the_icon_has_the_colour_of_the_brand() -> None:
    make_publication()
    Brand.objects.update(colour="#8a1c4a")
    assert show_colour_of_drawn_icon() == (0x8A, 0x1C, 0x4A, 255)


def test_a_square_logo_is_the_icon() -> None:
    logo = put_logo(300, 300)
    assert Client().get("/favicon.ico")["Location"] == f"/m/{logo.name}.png"


def test_a_wide_logo_is_not_used_as_icon() -> None:
    put_logo(600, 200)
    show_colour_of_drawn_icon()


def test_a_withdrawn_logo_is_not_used_as_icon() -> None:
    put_logo(300, 300)
    Picture.objects.update(withdrawn_at=timezone.now())
    show_colour_of_drawn_icon()


def test_the_way_to_a_logo_is_kept_as_short_as_the_logo() -> None:
    put_logo(300, 300)
    for answer in (Client().get("/favicon.ico"), Client().head("/favicon.ico")):
        assert answer["Cache-Control"] == f"public, max-age={CACHE_SECONDS}"
        assert not answer.cookies


def test_a_drawn_icon_is_kept_for_a_day_and_sets_no_cookie() -> None:
    for answer in (Client().get("/favicon.ico"), Client().head("/favicon.ico")):
        assert answer["Cache-Control"] == "public, max-age=86400"
        assert not answer.cookies


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_the_icon_is_grey_for_a_minute_while_the_database_is_away(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(brands: object) -> None:
        raise error("the database is away")

    monkeypatch.setattr(BrandQuerySet, "find_main", fail)
    assert show_colour_of_drawn_icon() == (0x4A, 0x55, 0x60, 255)
    assert Client().get("/favicon.ico")["Cache-Control"] == f"public, max-age={CACHE_SECONDS}"


def test_the_desk_has_the_icon_of_the_site() -> None:
    assert '<link rel="icon" href="/favicon.ico">' in sign_in("writer").get("/admin/").content.decode()
