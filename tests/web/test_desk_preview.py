"""The preview panel: the real mail of the unsaved form, for each group of recipients."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from wagtail.images.models import Image

from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.models import Approval, EventNotice, Issue, Publication, Story
from newsletter.sending.freezing.start import start_send
from tests.support.desk import issue_form, list_messages, sign_in
from tests.support.drawing import draw
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_appeal,
    make_event,
    make_issue,
    make_source,
    make_story,
)

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script> {{ 7*7 }} {% now %} %recipient.name% ‮"


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    make_event("Evening in Houston", where=HOUSTON)
    make_event("Morning in London", where=LONDON)
    make_appeal()
    add_subscribers(publication, 3, where=HOUSTON)
    add_subscribers(publication, 2, where=LONDON, start=10)
    return make_issue(publication)


def preview(client: Client, issue: Issue, *, mode: str = "mail.0.none", **fields: str) -> object:
    """Post the form to the preview and return what the panel shows."""
    story = issue.placements.get().story
    posted = client.post(f"/admin/issues/preview/{issue.pk}/", issue_form(issue, story=story, **fields))
    assert posted.json() == {"is_valid": True, "is_available": True}
    return client.get(f"/admin/issues/preview/{issue.pk}/?mode={mode}")


def modes_of(client: Client, issue: Issue) -> list[str]:
    page = client.get(f"/admin/issues/edit/{issue.pk}/").content.decode()
    select = page.split('name="preview_mode"', 1)[1].split("</select>", 1)[0]
    return [part.split('"', 1)[0] for part in select.split('<option value="')[1:]]


def place(issue: Issue, town: str) -> int:
    person = issue.publication.mailing_list.subscriptions.filter(subscriber__place__town=town).first()
    return person.subscriber.place_id


def test_the_preview_menu_lists_the_most_common_version_first(issue: Issue) -> None:
    client = sign_in("writer")
    houston, london = place(issue, "Houston"), place(issue, "London")
    modes = modes_of(client, issue)
    assert modes == [f"mail.{houston}.none", f"mail.{london}.none"]
    page = client.get(f"/admin/issues/edit/{issue.pk}/").content.decode()
    assert "3 people · Events near Houston" in page
    assert "2 people · Events near London" in page


def test_each_preview_mode_shows_the_events_of_its_group(issue: Issue) -> None:
    client = sign_in("writer")
    shown = {
        town: client.get(f"/admin/issues/preview/{issue.pk}/?mode=mail.{place(issue, town)}.none").content.decode()
        for town in ("Houston", "London")
    }
    assert "Evening in Houston" in shown["Houston"]
    assert "Morning in London" not in shown["Houston"]
    assert "Morning in London" in shown["London"]


def test_the_preview_shows_unsaved_changes(issue: Issue) -> None:
    page = preview(sign_in("writer"), issue, headline="Not yet saved").content.decode()
    assert "Not yet saved" in page
    assert "Not yet saved" not in str(Issue.objects.get(pk=issue.pk).body)


def test_the_mail_iframe_runs_no_script_and_loads_nothing_foreign(issue: Issue) -> None:
    response = preview(sign_in("writer"), issue)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src 'self' data: http://127.0.0.1:8000;")
    assert "script-src" not in policy
    assert "sandbox allow-same-origin" in policy
    assert "allow-scripts" not in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("part", ["mail", "dark", "forced", "bare", "text", "inbox"])
@pytest.mark.requirement("X2")
def test_hostile_text_is_shown_as_text(issue: Issue, part: str) -> None:
    """A title has template syntax, a script and a provider's own variables."""
    response = preview(sign_in("writer"), issue, mode=f"{part}.0.none", headline=HOSTILE, subject="Hello <script>")
    page = response.content.decode()
    assert response.status_code == 200
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "7*7" in page or part == "inbox"


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("subject", "Dear {{ surname }}", "surname"),
        ("subject", "Dear {{ first_name", "first_name"),
        ("preheader", "{{ 7*7 }}", "7*7"),
    ],
)
def test_an_invalid_merge_field_is_explained(issue: Issue, field: str, typed: str, told: str) -> None:
    page = preview(sign_in("writer"), issue, **{field: typed}).content.decode()
    assert "We cannot show the mail yet" in page
    assert told in page


def test_a_block_without_a_story_is_explained(issue: Issue) -> None:
    client = sign_in("writer")
    client.post(f"/admin/issues/preview/{issue.pk}/", issue_form(issue, story=None))
    page = client.get(f"/admin/issues/preview/{issue.pk}/").content.decode()
    assert "Block 1, Lead story, is unfinished: “Story” is empty" in page


def test_the_preview_shows_fallbacks_for_names(issue: Issue) -> None:
    page = preview(sign_in("writer"), issue, mode="inbox.0.none", subject='Dear {{ first_name | default:"friend" }}')
    assert "Dear friend" in page.content.decode()


def test_dark_mode_uses_the_mails_own_rules(issue: Issue) -> None:
    client = sign_in("writer")
    light = preview(client, issue).content.decode()
    dark = preview(client, issue, mode="dark.0.none").content.decode()
    assert "@media not all" in light
    assert "@media not all" not in dark
    assert "prefers-color-scheme: dark)" not in light + dark


def test_plain_text_shows_the_text_part(issue: Issue) -> None:
    page = preview(sign_in("writer"), issue, mode="text.0.none").content.decode()
    assert "<pre>" in page
    assert "The clinic opens its doors" in page


@pytest.mark.parametrize("mode", ["mail", "mail.x.none", "mail.0.rich", "wat.0.none", "mail.999999999999.none"])
def test_an_unknown_preview_mode_is_not_found(issue: Issue, mode: str) -> None:
    assert sign_in("writer").get(f"/admin/issues/{issue.pk}/mail/{mode}/").status_code in (200, 404)


def test_an_empty_audience_has_a_preview(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    issue = make_issue(publication)
    client = sign_in("writer")
    assert modes_of(client, issue)[0] == "mail.0.none"
    assert "The clinic opens" in client.get(f"/admin/issues/preview/{issue.pk}/").content.decode()


def test_an_older_revision_is_previewed_as_it_was(issue: Issue) -> None:
    client = sign_in("writer")
    first = issue.latest_revision
    story = issue.placements.get().story
    client.post(f"/admin/issues/edit/{issue.pk}/", issue_form(issue, story=story, headline="Later"))
    page = client.get(f"/admin/issues/history/{issue.pk}/revisions/{first.pk}/view/").content.decode()
    assert "The clinic opens its doors" in page
    assert "Later" not in page


def add_image(issue: Issue, file: str) -> None:
    """Store an issue whose only block is the image in this file of the library."""
    image = Image.objects.create(title="Harbour", file=file, width=10, height=10)
    Issue.objects.filter(pk=issue.pk).update(
        body=f'[{{"type": "picture", "id": "a", "value": {{"image": {image.pk}, "alt": "A harbour"}}}}]'
    )


def test_a_missing_image_file_is_explained(issue: Issue) -> None:
    add_image(issue, "original_images/gone.png")
    response = sign_in("writer").get(f"/admin/issues/{issue.pk}/mail/mail.0.none/")
    assert response.status_code == 200
    assert "The file of the image “Harbour” is missing. Choose another image" in response.content.decode()


def test_a_proof_of_an_issue_with_a_missing_image_file_is_refused(issue: Issue) -> None:
    add_image(issue, "original_images/gone.png")
    address = f"/admin/issues/{issue.pk}/proof/"
    client = sign_in("approver")
    told = list_messages(client.post(address, {"group": "0.none", "to": [User.objects.get().pk]}, follow=True))
    assert any("The file of the image “Harbour” is missing. Choose another image" in one for one in told)


def test_an_issue_whose_image_file_went_missing_is_not_approved(
    issue: Issue, settings: LazySettings, tmp_path: Path
) -> None:
    """The file was there when the approver opened the page."""
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "harbour.png").write_bytes(draw(600, 400, "PNG"))
    add_image(issue, "harbour.png")
    client = sign_in("approver")
    shown = client.get(f"/admin/issues/{issue.pk}/overview/").context
    for file in tmp_path.rglob("*.*"):
        file.unlink()
    fields = {
        "sha256": shown["sha256"],
        "audience": shown["audience_sha256"],
        "people": shown["approval_people"],
        "looked": "yes",
        "warning": [one.name for one in shown["unacknowledged"]],
    }
    told = list_messages(client.post(f"/admin/issues/{issue.pk}/approve/", fields, follow=True))
    assert any("The file of the image “Harbour” is missing. Choose another image" in one for one in told)
    assert not Approval.objects.exists()


@pytest.mark.parametrize("page", ["mail/mail.0.none/", "checks/", "audience/", "compare/"])
def test_a_disk_that_fails_is_no_missing_image(issue: Issue, settings: LazySettings, tmp_path: Path, page: str) -> None:
    """The page says what failed without the file's path, and the preview asks again for any answer of 500 or more."""
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "broken.png").symlink_to("/proc/self/mem")  # its first byte cannot be read: an error of the disk
    add_image(issue, "broken.png")
    response = sign_in("writer").get(f"/admin/issues/{issue.pk}/{page}")
    text = response.content.decode()
    assert response.status_code == (503 if page.startswith("mail") else 200)
    assert "The server could not read or write a file (Input/output error)" in text
    assert "Choose another image" not in text
    assert "Errno" not in text


def test_a_proof_says_that_the_disk_failed(issue: Issue, settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "broken.png").symlink_to("/proc/self/mem")
    add_image(issue, "broken.png")
    client, path = sign_in("writer"), f"/admin/issues/{issue.pk}/proof/"
    text = client.post(path, {"to": [User.objects.get().pk]}, follow=True).content.decode()
    assert "The server could not read or write a file (Input/output error)" in text
    assert "Errno" not in text


def story_fields(story: Story, **fields: str) -> dict[str, str]:
    return {
        "title": story.title,
        "teaser": story.teaser,
        "url": story.url,
        "language": "en",
        "pseudonyms": "",
        **fields,
    }


def test_a_story_is_previewed_as_the_lead_story(publication: Publication) -> None:
    story = make_story("The clinic opens its doors")
    client = sign_in("writer")
    client.post(f"/admin/stories/preview/{story.pk}/", story_fields(story, title=HOSTILE))
    response = client.get(f"/admin/stories/preview/{story.pk}/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in page
    assert Story.objects.get(pk=story.pk).title == "The clinic opens its doors"


def test_a_story_without_any_publication_says_what_is_missing(db: None) -> None:
    story = make_story("The clinic opens its doors")
    page = sign_in("writer").get(f"/admin/stories/preview/{story.pk}/").content.decode()
    assert "There is no publication yet" in page


def test_a_publication_is_previewed_as_its_newest_issue(issue: Issue) -> None:
    page = sign_in("admin").get(f"/admin/publications/preview/{issue.publication_id}/").content.decode()
    assert "The clinic opens its doors" in page


def test_a_publication_without_content_is_explained(publication: Publication) -> None:
    page = sign_in("admin").get(f"/admin/publications/preview/{publication.pk}/").content.decode()
    assert "Nothing new: no story and no new event since the last issue was assembled." in page
    assert "With these settings the next issue would be empty." in page


def test_an_empty_next_issue_names_the_sources_not_read(publication: Publication) -> None:
    make_source("Field offices", failures=3)
    page = sign_in("admin").get(f"/admin/publications/preview/{publication.pk}/").content.decode()
    assert "These sources could not be read, so there may be news: Field offices." in page
    assert "no new story" not in page


def test_an_open_issue_without_blocks_is_explained_by_its_name(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(body=[])
    page = sign_in("admin").get(f"/admin/publications/preview/{issue.publication_id}/").content.decode()
    assert f"{issue} is the next issue, and it is still empty. Add a block to it to see it here." in page


def test_the_preview_changes_nothing(issue: Issue) -> None:
    before = (Issue.objects.get(pk=issue.pk).subject, issue.content_revisions.count(), issue.variants.count())
    preview(sign_in("writer"), issue, subject="Typed")
    assert (Issue.objects.get(pk=issue.pk).subject, issue.content_revisions.count(), issue.variants.count()) == before
    assert EventNotice.objects.count() == 2


def test_the_masthead_of_an_issue_without_a_time_shows_today(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 1)
    issue = create_issue(publication=publication, beginning=Beginning.RULES, by=None, now=NOW)
    with time_machine.travel(NOW + timedelta(days=3), tick=False):
        shown = sign_in("writer").get(f"/admin/issues/{issue.pk}/mail/mail.0.none/").content.decode()
        overview = sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "7 March 2026" in shown
    assert "4 March 2026" not in shown
    assert "1 version of this issue" in overview


def test_the_masthead_of_a_planned_issue_shows_its_day(issue: Issue) -> None:
    with time_machine.travel(NOW, tick=False):
        assert "5 March 2026" in preview(sign_in("writer"), issue).content.decode()


def test_the_masthead_of_a_sent_issue_shows_the_day_of_its_send(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=NOW)
    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        shown = sign_in("writer").get(f"/admin/issues/{issue.pk}/mail/mail.0.none/").content.decode()
    assert "4 March 2026" in shown


@pytest.mark.parametrize(
    ("language", "word"), [("de", "liebe Leserin, lieber Leser"), ("pt-BR", "cara leitora, caro leitor")]
)
def test_a_personal_field_gets_a_default_in_the_mails_language(issue: Issue, language: str, word: str) -> None:
    Publication.objects.update(language=language)
    page = sign_in("writer").get(f"/admin/issues/edit/{issue.pk}/").content.decode()
    assert page.count(f'data-fallback="{word}"') == 2
    assert "“friend”" not in page


def test_a_field_gets_no_english_default_in_an_unknown_language(issue: Issue) -> None:
    Publication.objects.update(language="nl")
    page = sign_in("writer").get(f"/admin/issues/edit/{issue.pk}/").content.decode()
    assert page.count('data-fallback=""') == 4
    assert "Write what it shows if we do not know it" in page
