"""Near misses of common domains are suggested; other domains are left alone."""

import pytest

from subscribers.addresses.domains import _MAJOR_DOMAINS, suggest_address

MISTYPED = {
    "gmial.com": "gmail.com",
    "gmai.com": "gmail.com",
    "gamil.com": "gmail.com",
    "gmail.con": "gmail.com",
    "gmail.co": "gmail.com",
    "gmial.con": "gmail.com",
    "gnail.com": "gmail.com",
    "hotmial.com": "hotmail.com",
    "hotmal.co": "hotmail.com",
    "hotmail.con": "hotmail.com",
    "hotmial.co.uk": "hotmail.co.uk",
    "yaho.co.uk": "yahoo.co.uk",
    "yahooo.com": "yahoo.com",
    "yhoo.com": "yahoo.com",
    "outlok.com": "outlook.com",
    "outllok.com": "outlook.com",
    "iclod.com": "icloud.com",
    "protonmial.com": "protonmail.com",
    "googlemial.com": "googlemail.com",
    "t-onlin.de": "t-online.de",
}
RIGHT = [
    *sorted(_MAJOR_DOMAINS),
    *(
        "yahoo.es",
        "yahoo.de",
        "yahoo.com.mx",
        "yahoo.co.jp",
        "hotmail.es",
        "hotmail.it",
        "outlook.es",
        "outlook.com.br",
    ),
    *("live.nl", "gmx.at", "gmx.com", "email.com", "ymail.com", "example.org", "gmail.example", "mail.ru", "posteo.de"),
    *("open-door.example", "uni-leipzig.de", "ox.ac.uk", "gov.uk", "hotel.com", "yandex.com", "qq.com", "outdoor.com"),
]


@pytest.mark.parametrize(("typed", "meant"), MISTYPED.items())
def test_a_near_miss_of_a_common_domain_is_suggested(typed: str, meant: str) -> None:
    assert suggest_address(f"Ana.Maria@{typed}") == f"Ana.Maria@{meant}"


@pytest.mark.parametrize("domain", RIGHT)
def test_a_domain_that_may_be_right_gets_no_suggestion(domain: str) -> None:
    assert suggest_address(f"ana@{domain}") == ""


@pytest.mark.parametrize("text", ["", "ana", "@gmial.com"])
def test_other_text_than_an_address_gets_no_suggestion(text: str) -> None:
    assert suggest_address(text) == ""
