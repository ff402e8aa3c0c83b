"""Amounts and days are read as staff type them and written as readers of each language write them."""

from datetime import date
from decimal import Decimal

import pytest

from newsletter.rendering.amounts import (
    find_share,
    format_amount,
    format_share,
    list_currency_choices,
    parse_amount,
    parse_day,
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12400", "12400"),
        (" 12,400 ", "12400"),
        ("12.400", "12400"),
        ("12 400", "12400"),
        ("12\u00a0400,5", "12400.5"),
        ("12,400.50", "12400.50"),
        ("12.400,50", "12400.50"),
        ("1’234’567", "1234567"),
        ("0", "0"),
    ],
)
def test_an_amount_is_read_as_staff_of_any_country_type_it(text: str, amount: str) -> None:
    assert parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    ["", "many", "-5", "£12", "12,400.505", "1,23,456", "1,234,50", "1e9", "9999999999999", "12.", "NaN", "1\n2"],
)
def test_an_invalid_amount_is_refused(text: str) -> None:
    assert parse_amount(text) is None


@pytest.mark.parametrize(
    ("language", "whole", "with_cents"),
    [
        ("en", "£12,400", "£12,400.50"),
        ("en-US", "£12,400", "£12,400.50"),
        ("de", "12.400\u00a0£", "12.400,50\u00a0£"),
        ("ar", "\u200f12,400\u00a0UK£\u200e", "\u200f12,400.50\u00a0UK£\u200e"),
    ],
)
def test_a_whole_amount_has_no_decimals(language: str, whole: str, with_cents: str) -> None:
    assert format_amount(Decimal("12400.00"), currency="GBP", language=language) == whole
    assert format_amount(Decimal("12400.5"), currency="GBP", language=language) == with_cents


def test_a_share_is_whole_only_if_all_of_it_is_there() -> None:
    assert [find_share(Decimal(part), Decimal(200)) for part in ("0", "1", "199.99", "200", "261")] == [
        0,
        0,
        99,
        100,
        130,
    ]
    assert find_share(Decimal(5), Decimal(0)) == 0
    assert format_share(62, language="en") == "62%"
    assert format_share(62, language="de") == "62\u00a0%"


def test_a_day_is_read_only_if_it_exists() -> None:
    assert parse_day("2026-02-31") is None
    assert parse_day("soon") is None
    assert parse_day(" 2026-11-24 ") == date(2026, 11, 24)


def test_currencies_are_listed_by_their_names_in_the_language() -> None:
    english, spanish = dict(list_currency_choices("en")), dict(list_currency_choices("es"))
    assert english["GBP"] == "British Pound (GBP)"
    assert spanish["GBP"] == "libra esterlina (GBP)"
    assert "DEM" not in english
