# ruff: noqa: E501  (tables of examples read best one a line)
"""Documents from elsewhere are read or reported; none crashes the parser or brings a script."""

import json
import os
import re
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.content.parsing.calendars.calendar import parse_calendar
from newsletter.content.parsing.feeds.feed import parse_feed
from newsletter.content.parsing.markup import clean_html, plain_text, title_text
from newsletter.content.parsing.pseudonyms import find_pseudonyms, list_notes_for
from newsletter.content.parsing.text import TITLE_LENGTH

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
_REPOSITORY = Path(__file__).resolve().parents[3]
_ALLOWED_TAG = re.compile(r"</?(?:a|b|blockquote|br|em|h[234]|i|li|ol|p|strong|u|ul)(?: href=\"[^\"<>]*\")?>")
_HREF = re.compile(r'href="([^"]*)"')


def corpus(path: str) -> Path:
    found = Path(os.environ.get("NEWSLETTER_CORPUS", _REPOSITORY.parent / "shared" / "data")) / path
    if not found.exists():
        pytest.skip(f"the borrowed test data is not here: {found}")
    return found


def assert_is_safe(html: str) -> None:
    assert "<" not in _ALLOWED_TAG.sub("", html), html
    for link in _HREF.findall("".join(_ALLOWED_TAG.findall(html))):
        assert link.startswith(("http://", "https://", "mailto:")), link
    assert clean_html(html) == html


def assert_is_a_title(title: str) -> None:
    assert 0 < len(title) <= TITLE_LENGTH
    assert "\n" not in title
    assert title == title.strip()


@pytest.mark.requirement("X8")
def test_every_sample_feed_is_read_or_reported() -> None:
    started, read = time.process_time(), 0
    with zipfile.ZipFile(corpus("feeds/feedparser-tests-data.zip")) as archive:
        for name in archive.namelist():
            if name.endswith("/"):
                continue
            parsed = parse_feed(
                archive.read(name), content_type="application/xml", url="https://feed.example/x", now=NOW
            )
            read += 1
            for story in parsed.stories:
                assert_is_a_title(story.title)
                assert_is_safe(story.body_html)
                assert story.url.startswith(("http://", "https://"))
                assert not story.picture_url or story.picture_url.startswith(("http://", "https://"))
            for aside in parsed.set_aside:
                assert aside.entry
                assert aside.reason
    assert read > 2000
    assert time.process_time() - started < 30


@pytest.mark.requirement("H1")
def test_every_sample_feed_with_title_and_link_stays_safe() -> None:
    """Most entries of the suite have no link, so their descriptions are put into complete entries."""
    bodies: list[str] = []
    with zipfile.ZipFile(corpus("feeds/feedparser-tests-data.zip")) as archive:
        for name in archive.namelist():
            if "sanitize" in name and name.endswith(".xml"):
                bodies += re.findall(
                    r"<(?:description|content|summary)[^>]*>(.*?)</",
                    archive.read(name).decode("utf-8", "replace"),
                    re.S,
                )
    assert len(bodies) > 300
    for start in range(0, len(bodies), 150):
        items = "".join(
            f"<item><title>T{n}</title><link>https://x.example/{n}</link><description><![CDATA[{body.replace(']]>', '')}]]></description></item>"
            for n, body in enumerate(bodies[start : start + 150])
        )
        parsed = parse_feed(
            f'<rss version="2.0"><channel>{items}</channel></rss>'.encode(),
            content_type="text/xml",
            url="https://x.example/",
            now=NOW,
        )
        assert parsed.stories
        for story in parsed.stories:
            assert_is_safe(story.body_html)


@pytest.mark.requirement("X6")
def test_every_xml_attack_is_refused_quickly_and_reads_no_file() -> None:
    files = sorted(corpus("xml-attacks").glob("*.xml"))
    assert len(files) == 9
    for file in files:
        started = time.process_time()
        parsed = parse_feed(file.read_bytes(), content_type="application/xml", url="https://feed.example/x", now=NOW)
        assert time.process_time() - started < 1
        assert parsed.error
        assert "root:" not in repr(parsed)


@pytest.mark.requirement("X9")
def test_every_sample_calendar_is_read_or_reported() -> None:
    files = sorted(corpus("ics").rglob("*.ics"))
    assert len(files) > 150
    started, events = time.process_time(), 0
    for file in files:
        body = file.read_bytes()
        for year in (2007, 2014, 2024):
            one = time.process_time()
            parsed = parse_calendar(
                body,
                url="https://cal.example/c.ics",
                window_start=datetime(year, 1, 1, tzinfo=UTC),
                window_end=datetime(year + 1, 1, 1, tzinfo=UTC),
            )
            assert time.process_time() - one < 1
            events += len(parsed.events)
            for event in parsed.events:
                assert_is_a_title(event.title)
                assert event.starts_at.tzinfo is not None
            for aside in parsed.set_aside:
                assert aside.entry
                assert aside.reason
    assert events > 100
    assert time.process_time() - started < 30


def _strings(data: Any) -> list[str]:
    if isinstance(data, str):
        return [data]
    if isinstance(data, dict):
        return [text for value in data.values() for text in _strings(value)]
    return [text for value in data for text in _strings(value)] if isinstance(data, list) else []


@pytest.mark.requirement("H2")
@pytest.mark.requirement("H1")
@pytest.mark.parametrize("path", ["naughty-strings/blns.json", "xss/owasp-filter-evasion-blocks.json"])
def test_hostile_strings_are_made_safe(path: str) -> None:
    texts = _strings(json.loads(corpus(path).read_text("utf-8")))
    assert len(texts) > 50
    for text in texts:
        cleaned = clean_html(text, base_url="https://x.example/")
        assert_is_safe(cleaned)
        plain_text(text).encode()
        title_text(text).encode()


@pytest.mark.requirement("H3")
@pytest.mark.parametrize("path", ["naughty-strings/blns.json", "xss/owasp-filter-evasion-blocks.json"])
def test_hostile_titles_become_one_line_of_text_or_are_set_aside(path: str) -> None:
    texts = _strings(json.loads(corpus(path).read_text("utf-8")))
    for start in range(0, len(texts), 150):
        items = [
            {"id": str(n), "url": f"https://x.example/{n}", "title": text}
            for n, text in enumerate(texts[start : start + 150])
        ]
        parsed = parse_feed(
            json.dumps({"items": items}).encode(), content_type="application/json", url="https://x.example/", now=NOW
        )
        assert len(parsed.stories) + len(parsed.set_aside) == len(items)
        for story in parsed.stories:
            assert_is_a_title(story.title)
            story.title.encode()


def test_a_real_story_keeps_its_note_for_its_own_name_only() -> None:
    text = corpus("story-page.txt").read_text("utf-8")
    story, related = text.split("You might also be interested in")
    pseudonyms = find_pseudonyms(story)
    assert [name for name, _ in pseudonyms] == ["Manisha"]
    ((_, note),) = pseudonyms
    assert note.startswith("*A pseudonym. Note: Manisha")
    assert list_notes_for("Crucial evidence came from Manisha, a survivor", pseudonyms) == (note,)
    assert list_notes_for("Two girls are free", pseudonyms) == ()
    assert dict(find_pseudonyms(story + related))["Antonia"] == "*A pseudonym."
