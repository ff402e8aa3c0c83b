"""A story without a web page: its text is in our archive if everybody may read it there, else whole in the mail."""

from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from newsletter.desk.content.stories import make_preview_content
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.first_draft import find_related
from newsletter.issues.checks.links import find_checked_links
from newsletter.issues.checks.texts import list_texts
from newsletter.issues.snapshot.content_links import find_restricted_links
from newsletter.issues.snapshot.filled_blocks import count_clicks_on
from newsletter.issues.snapshot.records.fields import to_json
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, Publication, Story, Variant
from newsletter.rendering.blocks import StoryCards, StoryItem, StoryList, StoryRows
from newsletter.rendering.pipeline import render
from newsletter.sending.freezing.start import start_send
from newsletter.sending.withdraw_story import withdraw_story
from subscribers.models import Topic
from tests.support.desk import sign_in
from tests.support.fixtures import (
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.limited_blocks import limit_block
from tests.support.mail_documents import document
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db
PUBLIC, UNLISTED, OFF = Publication.Archive.PUBLIC, Publication.Archive.UNLISTED, Publication.Archive.OFF
FIRST = "The roof of the centre is mended after two winters."
LAST = "Nadia says that the rain is only a sound now."
TEXT = f"{FIRST}\n" + "The volunteers carried the tiles up by hand. " * 8 + f"\n{LAST}"
CONSENT = {
    "consent_needed": True,
    "consent_channels": ["email"],
    "consent_given_by": "self",
    "consent_given_on": NOW.date(),
    "consent_form_holder": "The casework team",
}


def make_own_story(title: str = "The roof is mended", **changes) -> Story:
    return make_story(title, **{"source": None, "url": "", "text": TEXT, "teaser": "", **changes})


def send(*, archive: str, **story) -> tuple[Story, Variant]:
    """Send an issue with a story without a page and another story to one reader."""
    publication = make_publication(archive=archive)
    own = make_own_story(**story)
    make_story("The second verdict", days_old=2)
    add_subscribers(publication, 1, where=LONDON)
    start_send(issue=make_issue(publication, approved=True), now=NOW)
    return own, Variant.objects.get()


def get(path: str) -> int:
    return Client().get(path).status_code


@pytest.mark.parametrize("texts", [{"url": "", "text": ""}, {"text": TEXT}])
def test_a_story_has_either_a_page_or_a_text(texts) -> None:
    with pytest.raises(IntegrityError, match="story_has_page_or_text"), transaction.atomic():
        make_story("Neither or both", **texts)


@pytest.mark.parametrize("archive", [PUBLIC, UNLISTED])
def test_the_mail_leads_to_the_story_in_the_archive(archive) -> None:
    own, mail = send(archive=archive)
    name = 1 if archive == PUBLIC else Issue.objects.get().public_id
    url = f"http://127.0.0.1:8000/news/weekly/{name}/stories/{own.pk}/"
    assert f'href="{url}"' in mail.html
    assert url in mail.text
    assert FIRST in mail.html  # the teaser is made from the text
    page = Client().get(url.removeprefix("http://127.0.0.1:8000"))
    html = compact_html(unescape(page.content.decode()))
    assert page.status_code == 200
    assert f"<p>{FIRST}</p><p>The volunteers" in html
    assert f"<p>{LAST}</p>" in html
    assert 'class="lead"' not in html
    assert ("noindex" in html) == (archive == UNLISTED)
    assert page.has_header("X-Robots-Tag") == (archive == UNLISTED)


def test_a_text_that_is_as_short_as_a_teaser_is_whole_in_the_mail() -> None:
    own, mail = send(archive=PUBLIC, text=f"{FIRST}\n{LAST}")
    assert LAST in mail.html
    assert f"/stories/{own.pk}/" not in mail.html


def test_a_typed_beginning_of_the_text_is_shown_once() -> None:
    _own, mail = send(archive=OFF, teaser=f"{FIRST} The volunteers")
    assert mail.html.count(FIRST) == 1


def test_the_preheader_of_an_issue_with_one_story_is_from_its_text(publication: Publication) -> None:
    make_own_story()
    add_subscribers(publication, 1)
    assert make_issue(publication).preheader.startswith(FIRST)


def test_a_teaser_by_staff_is_above_the_text() -> None:
    teaser = "Two winters of buckets are over."
    own, mail = send(archive=PUBLIC, teaser=teaser)
    assert teaser in mail.html
    assert LAST not in mail.html
    assert f'<p class="lead">{teaser}</p>' in Client().get(f"/news/weekly/1/stories/{own.pk}/").content.decode()


def test_without_an_archive_the_mail_has_the_whole_text() -> None:
    own, mail = send(archive=OFF)
    assert FIRST in mail.html
    assert LAST in mail.html
    assert mail.html.count(FIRST) == 1
    assert f"{FIRST}\n\nThe volunteers" in mail.text
    assert f"/stories/{own.pk}/" not in mail.html + mail.text
    assert get(f"/news/weekly/1/stories/{own.pk}/") == 404


@pytest.mark.parametrize("limit", [{"not_in_regions": ["US-TX"]}, CONSENT])
def test_a_story_that_is_not_for_everybody_is_whole_in_the_mail(limit) -> None:
    own, mail = send(archive=PUBLIC, **limit)
    assert LAST in mail.html
    assert f"/stories/{own.pk}/" not in mail.html
    assert get(f"/news/weekly/1/stories/{own.pk}/") == 404


def test_a_story_in_a_block_for_some_readers_is_whole_in_the_mail(publication: Publication) -> None:
    Publication.objects.update(archive=PUBLIC)
    add_subscribers(publication, 1)
    make_own_story()
    issue = make_issue(publication)
    assert [story.is_whole for story in resolve_content(issue).stories] == [False]
    limit_block(issue, "lead_story", giving="donor")
    assert [story.is_whole for story in resolve_content(Issue.objects.get()).stories] == [True]


def test_no_page_is_there_before_the_issue_is_sent(publication: Publication) -> None:
    Publication.objects.update(archive=PUBLIC)
    add_subscribers(publication, 1)
    own = make_own_story()
    issue = make_issue(publication)
    path = f"/news/weekly/1/stories/{own.pk}/"
    assert get(path) == 404
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert get(path) == 404
    start_send(issue=Issue.objects.get(), now=NOW)
    assert get(path) == 200


def test_the_page_of_a_withdrawn_story_is_gone() -> None:
    own, _mail = send(archive=PUBLIC)
    make_own_story("Another", days_old=40)
    assert get(f"/news/weekly/1/stories/{own.pk}/") == 200
    withdraw_story(story=own, by=User.objects.create_superuser("root"), reason="", now=NOW)
    assert get(f"/news/weekly/1/stories/{own.pk}/") == 404


def test_no_other_story_has_a_page_in_the_archive() -> None:
    own, _mail = send(archive=PUBLIC)
    other = Story.objects.get(title="The second verdict")
    assert [get(f"/news/weekly/{number}/stories/{pk}/") for number, pk in [(1, other.pk), (2, own.pk), (1, 0)]] == [
        404,
        404,
        404,
    ]


def test_a_link_of_the_issue_replaces_the_page(publication: Publication) -> None:
    Publication.objects.update(archive=PUBLIC)
    add_subscribers(publication, 1)
    own = make_own_story()
    issue = make_issue(publication)
    issue.body[0].value["link"] = "https://example.org/donate/"
    content = resolve_content(issue)
    assert [story.url for story in content.stories] == ["https://example.org/donate/"]
    start_send(issue=_approve(issue), now=NOW)
    assert get(f"/news/weekly/1/stories/{own.pk}/") == 404
    (left,) = remove_stories(content, stories=["https://example.org/donate/"]).stories
    assert left.is_whole


def _approve(issue: Issue) -> Issue:
    issue.save()
    approve_issue(issue=Issue.objects.get(), by=make_approver(), now=NOW)
    return Issue.objects.get()


def test_the_note_of_a_pseudonym_in_the_text_is_in_mail_and_page() -> None:
    note = "*Nadia is not her real name."
    own, mail = send(archive=PUBLIC, pseudonyms=[["Nadia", note]])
    assert note in mail.html
    assert note in Client().get(f"/news/weekly/1/stories/{own.pk}/").content.decode()


def test_the_text_is_checked_like_other_texts(publication: Publication) -> None:
    make_own_story()
    add_subscribers(publication, 1)
    content = resolve_content(make_issue(publication))
    assert any(LAST in part.text for part in list_texts(content))


def test_a_personal_field_in_the_text_stays_text() -> None:
    _own, mail = send(archive=OFF, text='Dear {{ first_name | default:"friend" }}')
    assert "first_name" in mail.html
    assert "__pv_h_first_name__" not in mail.html


def test_a_missing_page_causes_no_warning_and_no_fetch() -> None:
    own, mail = send(archive=OFF)
    assert "no-link" not in {finding["code"] for finding in mail.findings}
    assert find_checked_links(resolve_content(Issue.objects.get())).keys().isdisjoint({"", own.address})


def test_a_story_with_a_page_has_no_key_for_a_text(publication: Publication) -> None:
    """Approvals from before stories could have a text stay valid."""
    make_story("The clinic opens its doors")
    add_subscribers(publication, 1)
    (story,) = resolve_content(make_issue(publication)).stories
    assert "text" not in to_json(story)


def test_removing_one_story_without_a_page_keeps_the_other(publication: Publication) -> None:
    first, second = make_own_story(), make_own_story("The well is full", days_old=2)
    add_subscribers(publication, 1)
    content = resolve_content(make_issue(publication))
    for names in ([first.pk], [first.address]):
        assert [story.id for story in remove_stories(content, stories=[first.pk, *names]).stories] == [second.pk]


def test_a_name_of_a_withdrawn_story_without_a_page_is_restricted() -> None:
    """A picture of the story in another block has this name."""
    own, other = make_own_story(withdrawn_at=NOW), make_own_story("The well is full")
    names = {own.address, other.address}
    assert find_restricted_links(names, channel="email", at=NOW, required=False) == {own.address}


def test_further_reading_names_no_story_without_a_page() -> None:
    water = Topic.objects.create(slug="water", name="Water")
    own, linked = make_own_story(), make_story("The clinic")
    for story in (own, linked):
        story.topics.add(water)
    assert find_related([linked]) == []


def post_story(**fields) -> str:
    data = {"title": "The roof is mended", "teaser": "", "url": "", "text": "", "language": "en", **fields}
    response = sign_in("editor").post("/admin/stories/add/", data, follow=True)
    return unescape(response.content.decode())


def test_the_form_of_a_story_asks_for_a_page_or_a_text() -> None:
    assert "If it has none, write its text below." in post_story()
    both = post_story(url="https://example.org/roof/", text=TEXT)
    assert "A story with a web address needs no text" in both
    assert not Story.objects.exists()
    post_story(text=TEXT)
    assert Story.objects.get().text.splitlines() == TEXT.splitlines()


def test_the_preview_of_a_story_is_as_its_mail_shows_it(publication: Publication) -> None:
    own = make_own_story()
    assert [story.is_whole for story in make_preview_content(own).stories] == [True]
    Publication.objects.update(archive=PUBLIC)
    assert [story.is_whole for story in make_preview_content(own).stories] == [False]


def test_a_story_without_a_page_has_no_link_to_open(publication: Publication) -> None:
    own, linked = make_own_story(), make_story("The clinic")
    desk = sign_in("editor")
    pages = [desk.get(f"/admin/stories/edit/{story.pk}/").content.decode() for story in (own, linked)]
    assert ["Open the story" in page for page in pages] == [False, True]


@pytest.mark.parametrize("look", ["cards", "rows", "list"])
@pytest.mark.parametrize("layout", ["letter", "digest"])
def test_each_look_of_stories_shows_the_whole_text(look, layout) -> None:
    item = StoryItem("The roof is mended", "", text=f"{FIRST}\n\n{LAST}")
    looks = {"cards": StoryCards, "rows": StoryRows, "list": StoryList}
    mail = render(document(looks[look]((item,) * 12), layout=layout))
    assert mail.html.count(LAST) == mail.text.count(LAST) == 12


def test_clicks_on_its_pages_in_two_issues_count_for_one_story(publication: Publication) -> None:
    own = make_own_story()
    clicks = {f"http://a.example/news/weekly/{number}/stories/{own.pk}/": number for number in (2, 3)}
    assert count_clicks_on({"story": own, "link": ""}, clicks) == 5
    assert count_clicks_on({"story": own, "link": "https://example.org/"}, clicks) == 0


def test_the_approver_can_read_the_text_that_is_not_in_the_mail(publication: Publication) -> None:
    Publication.objects.update(archive=PUBLIC)
    add_subscribers(publication, 1)
    make_own_story()
    issue = make_issue(publication)
    page = f"/admin/issues/{issue.pk}/overview/"
    assert LAST in sign_in("approver").get(page).content.decode()
    Publication.objects.update(archive=OFF)  # then the mail itself has it
    assert LAST not in sign_in("approver").get(page).content.decode()


def test_the_preview_names_what_is_missing_by_its_label() -> None:
    own = make_own_story()
    answer = sign_in("editor").post(f"/admin/stories/preview/{own.pk}/", {"title": ""}, headers={"accept": "text/html"})
    assert answer.status_code == 422
    assert "Web address: Enter the address of the story’s page." in answer.content.decode()
