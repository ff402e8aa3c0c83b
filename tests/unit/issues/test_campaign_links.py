"""Links to donation pages name the issue and the block, and nothing of the reader."""

import pytest

from newsletter.content.parsing.urls import find_host
from newsletter.issues.variants.mail_links import Campaign, name_campaign, remove_campaign
from newsletter.rendering.blocks import AppealBlock, Brand, Button, ImageBlock, Note, Picture, Related

CAMPAIGN = Campaign(source="weekly", name=name_campaign("weekly/12"), hosts=frozenset({"give.example.org"}))
VALUES = "utm_source=weekly&utm_medium=email&utm_campaign=weekly-12&utm_content=appeal-3"


def tag(url: str) -> str:
    return CAMPAIGN.tag(Button(label="Give", url=url), content="appeal-3").url


@pytest.mark.parametrize(
    ("url", "tagged"),
    [
        ("https://give.example.org/now", f"https://give.example.org/now?{VALUES}"),
        ("https://give.example.org/?form=2#top", f"https://give.example.org/?form=2&{VALUES}#top"),
        ("https://example.org/give/", "https://example.org/give/"),
        ("https://give.example.org.evil.example/", "https://give.example.org.evil.example/"),
        ("https://give.example.org/?utm_source=poster", "https://give.example.org/?utm_source=poster"),
        ("https://give.example.org/{{ city }}", "https://give.example.org/{{ city }}"),
        ("mailto:give@give.example.org", "mailto:give@give.example.org"),
    ],
)
def test_only_links_to_the_named_hosts_carry_the_campaign(url: str, tagged: str) -> None:
    assert tag(url) == tagged
    assert remove_campaign(tagged) == url


def test_links_in_texts_lists_and_the_footer_carry_it_too() -> None:
    note = Note(body_html='<p><a href="https://give.example.org/?a=1&amp;b=2">Give</a></p>', body_text="Give")
    assert f'href="https://give.example.org/?a=1&amp;b=2&amp;{VALUES.replace("&", "&amp;")}"' in (
        CAMPAIGN.tag(note, content="appeal-3").body_html
    )
    related = Related(links=(("Give", "https://give.example.org/"),))
    assert CAMPAIGN.tag(related, content="appeal-3").links == (("Give", f"https://give.example.org/?{VALUES}"),)
    brand = CAMPAIGN.tag(Brand(name="Open Door", donate_url="https://give.example.org/"), content="footer")
    assert brand.donate_url.endswith("utm_content=footer")


def test_a_picture_keeps_its_address() -> None:
    block = ImageBlock(picture=Picture("https://give.example.org/a.png", 600, 300), url="https://give.example.org/")
    tagged = CAMPAIGN.tag(block, content="appeal-3")
    assert (tagged.picture, VALUES in tagged.url) == (block.picture, True)


def test_without_hosts_nothing_changes() -> None:
    appeal = AppealBlock(headline="Give", text="An hour.", url="https://give.example.org/", button="Give")
    assert Campaign(source="weekly", name="weekly-12", hosts=frozenset()).tag(appeal, content="appeal-1") is appeal


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("give.example.org", "give.example.org"),
        ("https://Give.Example.org/now?x=1", "give.example.org"),
        ("give", ""),
        ("two words.org", ""),
        ("", ""),
    ],
)
def test_a_host_is_found_alone_or_in_an_address(written: str, host: str) -> None:
    assert find_host(written) == host
