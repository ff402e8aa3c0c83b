"""The search of a public archive: words of titles and texts that are shown now, without a script, quickly."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pydantic import JsonValue

from newsletter.issues.archive import search_archive
from newsletter.models import Issue, IssueRevision, Publication, Send, Story
from newsletter.sending.withdraw_story import withdraw_story
from newsletter.web.archive import PER_PAGE
from subscribers.models import Case
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_event, make_issue, make_publication, make_story
from tests.support.protected_terms import protect
from tests.support.sends import start_send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
LIST = "/news/weekly/"


@pytest.fixture(autouse=True)
def _forget_texts() -> None:
    search_archive._kept_texts.clear()


def publish(archive: str = Publication.Archive.PUBLIC, **story: Any) -> Issue:
    publication = make_publication(archive=archive)
    make_story("The Café verdict", teaser="Maya’s lawyers won in Montréal.", **story)
    make_event("A call for everybody", online=True)
    return send(publication)


def send(publication: Publication) -> Issue:
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=NOW)
    issue.refresh_from_db()
    return issue


def copy_issues(issue: Issue, *, count: int) -> None:
    """Put further issues with the same content, but for their titles, into the archive."""
    revision, send = issue.content_revisions.get(), Send.objects.get()
    for number in range(2, count + 1):
        copied = Issue.objects.create(
            publication=issue.publication,
            number=number,
            public_id=f"{number:032}",
            kind=issue.kind,
            state=issue.state,
            made_at=NOW,
        )
        content = {**revision.content, "subject": f"Issue {number} of the harbour"}
        of_copy = IssueRevision.objects.create(
            issue=copied, number=1, sha256=f"{number:064}", content=content, made_at=NOW + timedelta(days=number)
        )
        Send.objects.create(
            issue=copied, revision=of_copy, state=send.state, made_at=send.made_at, started_at=send.started_at
        )


def _tell_only(story: Story, revision: IssueRevision) -> None:
    """Let the issue of a revision tell this story instead of its own."""
    text = json.dumps(revision.content).replace("The Café verdict", story.title)
    content = json.loads(text)
    for block in content["blocks"]:
        for told in [block["story"]] if "story" in block else block.get("stories", []):
            told["id"] = story.pk
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    IssueRevision.objects.filter(pk=revision.pk).update(content=content, sha256=sha256)


def withdraw(story: Story) -> None:
    withdraw_story(story=story, by=sign_in("editor").get("/admin/").wsgi_request.user, reason="", now=NOW)


def search(words: str, **query: str) -> str:
    answer = Client().get(LIST, {"q": words, **query})
    assert answer.status_code == 200
    return answer.content.decode()


def is_found(words: str) -> bool:
    return f'<a href="{LIST}1/">' in search(words)


@pytest.mark.parametrize(
    "words", ["verdict", "cafe VERDICT", "café", "montreal", "lawyers maya", "everybody", "verd", "  verdict  "]
)
def test_words_of_titles_and_texts_are_found_without_case_or_accents(words: str) -> None:
    publish()
    assert is_found(words)


@pytest.mark.parametrize("words", ["harbour", "verdict harbour", "lead_story", "jpg", "https", "&", "%", "london"])
def test_other_words_find_nothing_and_say_so(words: str) -> None:
    publish()
    page = search(words)
    assert "No issue has all of these words." in page
    assert f'<a href="{LIST}1/">' not in page


@pytest.mark.parametrize(
    ("title", "words", "found"),
    [
        ("साफ पानी का मुकदमा", "पानी", True),
        ("नई पुस्तक", "पानी", False),
        ("أسئلة للمحكمة", "أسئلة", True),
        ("سياسة العدالة", "أسئلة", False),
        ("서울 재판", "서울", True),
    ],
)
def test_words_of_every_script_are_whole_words(title: str, words: str, found: bool) -> None:
    publication = make_publication(archive=Publication.Archive.PUBLIC)
    make_story(title)
    send(publication)
    assert is_found(words) == found


def test_words_that_the_archive_does_not_show_find_nothing() -> None:
    publish(case=Case.objects.create(slug="ngata", name="The case of Aroha Ngata"))
    assert "Ngata" in str(IssueRevision.objects.get().content)
    assert not is_found("ngata")
    assert not is_found("aroha")


def test_only_fields_of_words_of_a_block_with_a_schema_are_searched() -> None:
    row: JsonValue = {"time": "noon", "what": "Bread and tea", "detail": "", "surname": "Ngata"}
    values: JsonValue = {
        "title": "Open day",
        "day": "2026-12-12",
        "address": "Quay",
        "map_url": "https://maps.example/",
        "items": [row],
    }
    folded = search_archive._fold_content({"blocks": [{"type": "timetable", "key": "k", "values": values}]})
    assert folded.split() == ["open", "day", "quay", "noon", "bread", "and", "tea"]
    assert not search_archive._fold_content({"blocks": [{"type": "gone", "key": "k", "values": values}]}).strip()


def test_a_search_form_that_needs_no_script_is_on_the_list() -> None:
    publish()
    answer = Client().get(LIST)
    page = answer.content.decode()
    assert '<form class="search" method="get" action="/news/weekly/" role="search">' in page
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    assert "noindex" not in page
    assert '<meta name="robots" content="noindex">' in search("verdict")


def test_the_search_terms_are_shown_as_text() -> None:
    publish()
    page = search('"><script>alert(1)</script>')
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_an_empty_search_lists_all_issues() -> None:
    publish()
    assert f'<a href="{LIST}1/">' in search("   ")


def test_a_withdrawn_story_is_found_no_more() -> None:
    publish()
    assert is_found("montreal")
    withdraw(Story.objects.get())
    assert not is_found("montreal")
    assert is_found("everybody")


def test_an_issue_with_a_protected_term_is_found_by_no_word() -> None:
    publish()
    protect("Montréal")
    assert not is_found("montreal")
    assert not is_found("verdict")


def test_an_archive_that_is_not_public_has_no_search() -> None:
    publish(archive=Publication.Archive.UNLISTED)
    assert Client().get(LIST, {"q": "verdict"}).status_code == 404


def test_the_pages_of_a_search_keep_its_words() -> None:
    copy_issues(publish(), count=30)
    page = search("harbour verdict")
    assert page.count("<li>") == 13
    assert "?q=harbour+verdict&amp;from=17" in page
    assert 'rel="prev"' not in page
    last = search("harbour verdict", **{"from": "4"})
    assert last.count("<li>") == 3
    assert "?q=harbour+verdict&amp;from=17" in last
    assert 'rel="next"' not in last


@pytest.mark.parametrize("number", ["", "x", "²", "-1", "9" * 30, "999"])
def test_a_page_from_no_issue_begins_with_the_newest(number: str) -> None:
    copy_issues(publish(), count=14)
    assert f'<a href="{LIST}14/">' in search("verdict harbour", **{"from": number})


def test_pages_are_filled_if_withdrawn_stories_had_the_words() -> None:
    copy_issues(publish(), count=40)
    story = make_story("The last verdict")
    for revision in IssueRevision.objects.filter(issue__number__gt=20):
        _tell_only(story, revision)
    withdraw(story)
    page = search("verdict")
    assert "No issue has all of these words." not in page
    assert page.count("<li>") == PER_PAGE
    assert f'<a href="{LIST}20/">' in page
    assert "from=7" in page
    assert 'rel="prev"' not in page


def test_no_link_leads_to_a_page_whose_stories_were_withdrawn() -> None:
    copy_issues(publish(), count=40)
    story = make_story("The last verdict")
    for revision in IssueRevision.objects.filter(issue__number__lte=27):
        _tell_only(story, revision)
    withdraw(story)
    page = search("verdict")
    assert page.count("<li>") == PER_PAGE
    assert 'rel="next"' not in page
    assert 'rel="prev"' in search("verdict", **{"from": "27"})


def test_a_search_asks_the_database_as_often_as_a_page_of_issues() -> None:
    copy_issues(publish(), count=40)
    search("verdict")
    counts = []
    for words in ("verdict", "issue 17 harbour", "nothing"):
        with CaptureQueriesContext(connection) as queries:
            search(words)
        counts.append(len(queries))
    assert counts[2] <= 3
    assert max(counts) <= 6 + PER_PAGE


def test_the_texts_that_were_read_first_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    copy_issues(publish(), count=3)
    search("verdict")
    kept = dict(search_archive._kept_texts)
    first, *others = kept
    monkeypatch.setattr(search_archive, "MAX_KEPT_CHARACTERS", sum(len(kept[name]) for name in others))
    search_archive._forget_oldest()
    assert list(search_archive._kept_texts) == others
    assert search("verdict").count("<li>") == 3
    assert list(search_archive._kept_texts) == [*others[1:], first]


class _FilledByAnother(dict[str, str]):
    """Kept texts that another thread adds just after this one did not find them."""

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        self.setdefault(key, "the text of another thread")
        return found


def test_a_search_finds_what_another_one_reads_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    publish()
    monkeypatch.setattr(search_archive, "_kept_texts", _FilledByAnother())
    assert is_found("verdict")


def test_the_first_search_reads_few_contents_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    iterate = QuerySet.iterator

    def note(rows: QuerySet[Any], chunk_size: int | None = None) -> Iterator[Any]:
        sizes.append(chunk_size)
        return iterate(rows, chunk_size=chunk_size)

    monkeypatch.setattr(QuerySet, "iterator", note)
    copy_issues(publish(), count=3)
    search("verdict")
    search("verdict")
    assert sizes == [20]
