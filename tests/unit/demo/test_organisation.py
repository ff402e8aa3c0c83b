"""The sample organisation's file uses only known keys and names only pages that the site serves."""

import re
import tomllib

import pytest

from newsletter.demo.sample_content import load_stories, write_organisation
from newsletter.demo.subscribers_csv import TOPICS
from tests.support.demo_site import NOW, ask

KEYS = {
    "brand": "name logo logo_dark colour accent background font postal_address website privacy_url donate_url donor_portal_url "
    "social",
    "limits": "mails_in_7_days",
    "list": "slug name description double_opt_in",
    "topic": "slug name names",
    "segment": "slug name rule",
    "source": "name kind url every topics region language",
    "appeal": "slug headline text link button for language translation_of",
    "publication": "slug name list segment from_name from_email reply_to subject schedule zone lead_hours approval "
    "stories events radius_km days_back days_ahead interests topics sources intro language languages archive",
}


@pytest.fixture
def organisation(site):
    return tomllib.loads(write_organisation(site=site.url))


def test_only_known_keys_are_used(organisation):
    assert set(organisation) == set(KEYS)
    for part, value in organisation.items():
        for row in value if isinstance(value, list) else [value]:
            assert set(row) <= set(KEYS[part].split()), part


def test_each_kind_of_source_is_there_and_answers(site, organisation):
    assert {source["kind"] for source in organisation["source"]} == {"feed", "wordpress", "page", "calendar", "events"}
    for source in organisation["source"]:
        path = source["url"].removeprefix(site.url) or "/wp-json/wp/v2/posts"
        assert ask(site, path).status == 200, source["name"]


def test_every_link_under_the_site_leads_to_a_page(site, organisation):
    text = write_organisation(site=site.url)
    links = re.findall(rf'"{re.escape(site.url)}(/[^"]*)"', text)
    assert len(links) > 10
    assert all(site.pages.find_page(link) for link in links)


def test_the_privacy_notice_is_on_the_sample_site(site, organisation):
    answer = ask(site, organisation["brand"]["privacy_url"].removeprefix(site.url))
    assert (answer.status, b"Privacy notice" in answer.body) == (200, True)


def test_the_social_pages_are_on_the_sample_site(site, organisation):
    pages = organisation["brand"]["social"]
    assert set(pages) == {"facebook", "instagram", "linkedin"}
    for address in pages.values():
        assert ask(site, address.removeprefix(site.url)).status == 200, address


def test_every_list_segment_and_source_named_exists(organisation):
    lists = {row["slug"] for row in organisation["list"]}
    segments = {row["slug"] for row in organisation["segment"]}
    sources = {row["name"] for row in organisation["source"]}
    for publication in organisation["publication"]:
        assert publication["list"] in lists
        assert publication.get("segment") in segments | {None}
        assert set(publication["sources"]) <= sources
    assert "weekly" in lists
    assert "weekly" in {row["slug"] for row in organisation["publication"]}


def test_the_weekly_letter_is_sent_automatically_on_thursdays_at_nine(organisation):
    weekly = next(row for row in organisation["publication"] if row["slug"] == "weekly")
    assert (weekly["schedule"], weekly["zone"], weekly["approval"]) == ("0 9 * * thu", "Europe/London", "auto")


def test_topics_are_those_of_stories_and_subscribers(organisation):
    names = {row["name"] for row in organisation["topic"]}
    in_stories = {
        topic for part in ("stories", "field", "partner") for s in load_stories(part, now=NOW) for topic in s.topics
    }
    assert in_stories == names
    assert {row["slug"] for row in organisation["topic"]} == set(TOPICS)


def test_there_is_an_appeal_for_each_giver_and_a_segment_near_london(organisation):
    assert {row["for"] for row in organisation["appeal"]} == {"all", "none", "donor", "monthly"}
    assert len(organisation["segment"]) >= 3
    near = next(row for row in organisation["segment"] if row["slug"] == "near-london")
    assert near["rule"] == {"all": [{"list": "weekly"}, {"near": "London, GB", "km": 80}]}
