"""The sample story pages carry the metadata of real ones."""

import json
import re

from lxml import html

from tests.support.demo_site import NOW, ask

LONG_READ = "/stories/the-long-road-to-a-fair-hearing/"


def read_page(site, path):
    return html.fromstring(ask(site, path).body.decode())


def test_opengraph_and_json_ld_agree_with_the_page(site):
    page = read_page(site, LONG_READ)
    graph = {tag.get("property"): tag.get("content") for tag in page.xpath("//meta[@property]")}
    linked = json.loads(page.xpath('//script[@type="application/ld+json"]')[0].text)
    heading = page.xpath("//h1")[0].text_content()
    assert heading == graph["og:title"] == linked["headline"]
    assert graph["og:description"] == linked["description"] == page.xpath('//p[@class="lead"]')[0].text_content()
    assert graph["og:image"] == linked["image"]["url"]
    assert graph["article:published_time"] == linked["datePublished"] < NOW.isoformat()
    assert page.xpath("//h1")[0].getparent().tag == "article"
    assert page.get("lang") == "en"


def test_the_page_ends_with_the_pseudonym_note_and_related_stories(site):
    text = read_page(site, LONG_READ).xpath("//article")[0].text_content()
    assert "Leila*" in text
    assert text.index("*A pseudonym.") < text.index("You might also be interested in…")
    links = read_page(site, LONG_READ).xpath("//aside//a/@href")
    assert len(links) == 3
    assert all(re.fullmatch(r"/stories/[a-z0-9-]+/", link) for link in links)


def test_the_long_read_has_a_page_but_is_not_in_the_feed(site):
    assert LONG_READ.encode() not in ask(site, "/stories/feed.xml").body


def test_partner_pages_are_spanish_and_no_picture_means_no_image(site):
    assert read_page(site, "/partner/el-rio-tiene-mapa/").get("lang") == "es"
    bare = read_page(site, "/stories/what-a-payslip-can-do/")
    assert bare.xpath("//article//img") == []
    assert bare.xpath('//meta[@property="og:image"]') == []
    assert bare.xpath("//h1")[0].text_content() == "Rights & wages: what a payslip can do"
