"""Withdrawing an original stops its translations too. A withdrawn translation leaves its original to readers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image as PillowImage
from wagtail.images.models import Image

from newsletter.common.errors import NotApproved
from newsletter.content.images.hosting import LIBRARY_COPY, host_image
from newsletter.content.images.library import add_story_image, withdraw_upload
from newsletter.desk.pictures.library_chooser import find_restricted_stories
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.stories_at_source import remove_gone_stories, require_stories_at_source
from newsletter.issues.corrections.people_of_story import find_reach
from newsletter.issues.planning.complete_send import complete_send
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import (
    Batch,
    Delivery,
    DeliveryException,
    Issue,
    Picture,
    Publication,
    Send,
    ShownItem,
    Story,
    Variant,
)
from newsletter.sending.dispatching.batch_claim import claim_batch, find_due_batches
from newsletter.sending.mails_with_story import pause_withdrawn
from newsletter.sending.settling.send_controls import cancel_send
from newsletter.sending.withdraw_story import (
    Withdrawal,
    reinstate_story,
    withdraw_story,
)
from subscribers.models import Subscriber
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.local_hours import AUCKLAND_HOUR, LONDON_HOUR, add_readers, reload, work_at
from tests.support.sends import start_send
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
GONE = {"gone_at": NOW, "gone_code": "removed"}


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        served.put("/", "<h1>Home</h1>")
        yield served


def make_editor() -> User:
    person = make_approver()
    person.user_permissions.add(Permission.objects.get(codename="change_story"))
    return User.objects.get(pk=person.pk)


def make_photo(colour: int) -> Picture:
    data = BytesIO()
    PillowImage.new("RGB", (640, 360), (colour, 30, 30)).save(data, "JPEG")
    return host_image(data=data.getvalue(), source_url=f"https://example.org/{colour}.jpg", alt="A river")


def make_pair(*, original: dict[str, Any] | None = None, **translation: Any) -> tuple[Story, Story]:
    english = make_story("The water case", days_old=2, **(original or {}))
    spanish = make_story("El caso del agua", language="es", translation_of=english, **translation)
    return english, spanish


def make_spanish_issue(*, approved: bool = True, **changes: Any) -> Issue:
    """Return an issue whose own story is the translation, because its publication is in Spanish."""
    publication = make_publication(language="es", **changes)
    make_story("El segundo caso", language="es", days_old=3)
    add_subscribers(publication, 3)
    return make_issue(publication, approved=approved)


def make_bilingual_send(*, max_batch: str = "") -> tuple[Publication, Send]:
    """Return the send of an English publication: two people read English, one reads Spanish."""
    publication = make_publication(languages=["es"])
    make_story("The prison letter", days_old=3)
    people = add_subscribers(publication, 3)
    Subscriber.objects.filter(pk=people[0].pk).update(language="es")
    return publication, start_send(issue=make_issue(publication, approved=True), now=NOW)


def take_back(story: Story, *, at: datetime = NOW) -> Withdrawal:
    return withdraw_story(story=story, by=make_editor(), reason="She asked us to.", now=at)


def list_titles(issue: Issue) -> list[str]:
    return [story.title for story in resolve_content(Issue.objects.get(pk=issue.pk)).stories]


def find_withdrawn_pictures() -> set[str]:
    return set(Picture.objects.filter(withdrawn_at__isnull=False).values_list("sha256", flat=True))


def test_a_withdrawn_original_stops_the_mails_of_its_translation() -> None:
    original, _ = make_pair()
    issue = make_spanish_issue()
    send = start_send(issue=issue, now=NOW)
    batch = send.batches.get()
    done = take_back(original)
    assert done.paused == [issue]
    assert reload(send).state == "paused"
    Send.objects.update(state="submitting")
    assert find_due_batches(now=NOW) == []
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=NOW) is None


def test_an_original_gone_at_its_source_stops_its_translation() -> None:
    original, _ = make_pair()
    issue = make_spanish_issue()
    send = start_send(issue=issue, now=NOW)
    Story.objects.filter(pk=original.pk).update(**GONE)
    assert claim_batch(batch_id=send.batches.get().pk, provider="mailgun", now=NOW) is None
    assert pause_withdrawn() == [issue]


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_a_copy_of_the_translation_stops_with_the_original(*, is_withdrawn: bool) -> None:
    original, translation = make_pair()
    issue = make_spanish_issue()
    send = start_send(issue=issue, now=NOW)
    copy = make_story("El caso del agua, otra vez", language="es", days_old=2)
    shown = ShownItem.objects.filter(kind=ShownItem.Kind.STORY, row_id=translation.pk)
    assert shown.update(row_id=copy.pk)
    Story.objects.filter(pk=copy.pk).update(same_as=translation)
    if is_withdrawn:
        done = take_back(original)
        assert (done.paused, [reached.issue for reached in done.reach]) == ([issue], [])
    else:
        Story.objects.filter(pk=original.pk).update(**GONE)
        assert pause_withdrawn() == [issue]
    Send.objects.update(state="submitting")
    assert claim_batch(batch_id=send.batches.get().pk, provider="mailgun", now=NOW) is None
    assert not Story.objects.showable().filter(pk=copy.pk).exists()


def test_people_who_have_the_translation_are_counted() -> None:
    original, translation = make_pair()
    issue = make_spanish_issue()
    start_send(issue=issue, now=NOW)
    Batch.objects.update(state=Batch.State.ACCEPTED)
    Send.objects.update(provider="mailgun")
    assert [(reach.issue, reach.people) for reach in find_reach(original)] == [(issue, 3)]
    assert take_back(original).mails_sent == 3
    assert [reach.people for reach in find_reach(translation)] == [3]


@pytest.mark.parametrize(("state", "people"), [("rejected", 2), ("skipped", 2), ("uncertain", 3), ("", 3)])
def test_people_who_certainly_did_not_get_the_story_are_not_counted(state: str, people: int) -> None:
    original, _ = make_pair()
    send = start_send(issue=make_spanish_issue(), now=NOW)
    Batch.objects.update(state=Batch.State.ACCEPTED)
    Send.objects.update(provider="mailgun")
    delivery = Delivery.objects.filter(batch__send=send)[0]
    DeliveryException.objects.create(delivery=delivery, state=state, at=NOW)
    assert [reach.people for reach in find_reach(original)] == [people]


@pytest.mark.parametrize("purged", [{"totals": {}, "purged_at": NOW}, {"totals": {}}], ids=["deleted", "being deleted"])
def test_a_send_whose_recipients_were_deleted_counts_those_it_went_to(purged: dict[str, object]) -> None:
    original, _ = make_pair()
    send = start_send(issue=make_spanish_issue(), now=NOW)
    Batch.objects.update(state=Batch.State.ACCEPTED)
    Send.objects.filter(pk=send.pk).update(**purged, provider="mailgun")
    (reach,) = find_reach(original)
    assert (reach.issue, reach.people, reach.is_most) == (send.issue, 3, True)


@pytest.mark.parametrize("approved", [False, True])
def test_a_waiting_issue_loses_the_translation_and_is_held(approved: bool) -> None:
    original, _ = make_pair()
    issue = make_spanish_issue(approved=approved)
    assert "El caso del agua" in issue.subject
    assert take_back(original).held == [issue]
    issue.refresh_from_db()
    assert (issue.state, issue.held, issue.subject) == ("draft", True, "El segundo caso")
    assert issue.held_reason.startswith("The story “El caso del agua” was withdrawn")
    assert list_titles(issue) == ["El segundo caso"]
    assert not issue.approvals.filter(withdrawn_at=None).exists()


def test_the_pictures_of_the_translation_become_neutral_too() -> None:
    original, translation = make_pair(original={"picture": make_photo(10)}, picture=make_photo(90))
    start_send(issue=make_spanish_issue(), now=NOW)
    variant = Variant.objects.get()
    take_back(original)
    assert find_withdrawn_pictures() >= {original.picture.sha256, translation.picture.sha256}
    shown = Picture.objects.filter(name__in=[name for name in _list_names() if name in variant.html])
    assert shown.exists()
    assert not shown.filter(withdrawn_at=None).exists()
    assert "agua" not in Client().get(f"/view/{variant.public_id}").content.decode()


def _list_names() -> list[str]:
    return list(Picture.objects.values_list("name", flat=True))


def test_a_reinstated_original_brings_the_pictures_of_both_back() -> None:
    original, _ = make_pair(original={"picture": make_photo(10)}, picture=make_photo(90))
    take_back(original)
    reinstate_story(story=original, by=make_editor())
    assert find_withdrawn_pictures() == set()


def test_pictures_stay_neutral_until_both_are_reinstated() -> None:
    original, translation = make_pair(original={"picture": make_photo(10)}, picture=make_photo(90))
    take_back(translation)
    take_back(original, at=NOW + DAY)
    reinstate_story(story=translation, by=make_editor())
    assert find_withdrawn_pictures() == {original.picture.sha256, translation.picture.sha256}
    reinstate_story(story=original, by=make_editor())
    assert find_withdrawn_pictures() == set()


def test_a_picture_stays_neutral_for_another_withdrawn_story() -> None:
    """Two stories have the same image file, and the person in it takes back their consent in both."""
    photo = make_photo(10)
    first, second = (make_story(title, picture=photo) for title in ("The water case", "The river case"))
    take_back(first)
    take_back(second, at=NOW + DAY)
    reinstate_story(story=first, by=make_editor())
    assert find_withdrawn_pictures() == {photo.sha256}
    reinstate_story(story=second, by=make_editor())
    assert find_withdrawn_pictures() == set()


def test_reinstating_reads_no_pictures_of_each_withdrawn_story() -> None:
    photo = make_photo(10)
    first, second = (make_story(title, picture=photo) for title in ("The water case", "The river case"))
    take_back(second)
    counts = []
    for colours in (range(40, 42), range(60, 68)):
        for colour in colours:
            take_back(make_story(f"Case {colour}", picture=make_photo(colour)), at=NOW + colour * DAY)
        take_back(first, at=NOW + DAY)
        Picture.objects.filter(pk=photo.pk).update(withdrawn_at=NOW + DAY)
        with CaptureQueriesContext(connection) as queries:
            reinstate_story(story=first, by=make_editor())
        counts.append(len(queries))
    assert counts[1] - counts[0] <= 2 * 8
    assert photo.sha256 in find_withdrawn_pictures()


def test_an_image_that_staff_deleted_stays_neutral_for_both_stories() -> None:
    photo = make_photo(10)
    first, second = (make_story(title, picture=photo) for title in ("The water case", "The river case"))
    take_back(first)
    take_back(second, at=NOW + DAY)
    Picture.objects.update(withdrawn_at=NOW + 2 * DAY)
    for story in (first, second):
        reinstate_story(story=story, by=make_editor())
        assert find_withdrawn_pictures() == {photo.sha256}


def test_a_withdrawn_translation_leaves_the_image_that_its_original_shares() -> None:
    photo = make_photo(10)
    _, translation = make_pair(original={"picture": photo}, picture=photo)
    take_back(translation)
    assert find_withdrawn_pictures() == set()
    other = make_story("The river case", picture=photo)
    take_back(other, at=NOW + DAY)
    reinstate_story(story=other, by=make_editor())
    assert find_withdrawn_pictures() == set()


def test_a_picture_stays_neutral_for_another_withdrawn_translation() -> None:
    photo = make_photo(90)
    original, _ = make_pair(picture=photo)
    other = make_story("The river case", picture=photo)
    take_back(other)
    take_back(original, at=NOW + DAY)
    reinstate_story(story=other, by=make_editor())
    assert find_withdrawn_pictures() == {photo.sha256}
    reinstate_story(story=original, by=make_editor())
    assert find_withdrawn_pictures() == set()


def test_a_picture_stays_neutral_for_a_story_that_showed_it_before() -> None:
    photo = make_photo(10)
    first, second = (make_story(title, picture=photo) for title in ("The water case", "The river case"))
    publication = make_publication()
    add_subscribers(publication, 3)
    make_issue(publication, approved=True)
    Story.objects.filter(pk=second.pk).update(picture=make_photo(90))
    take_back(first)
    take_back(second, at=NOW + DAY)
    reinstate_story(story=first, by=make_editor())
    assert photo.sha256 in find_withdrawn_pictures()


def test_a_translation_that_is_reinstated_last_has_its_picture_again() -> None:
    original, translation = make_pair(original={"picture": make_photo(10)}, picture=make_photo(90))
    take_back(translation)
    take_back(original, at=NOW + DAY)
    reinstate_story(story=original, by=make_editor())
    assert find_withdrawn_pictures() == {translation.picture.sha256}
    reinstate_story(story=translation, by=make_editor())
    assert find_withdrawn_pictures() == set()


@pytest.mark.parametrize("days", [-1, 1], ids=["before", "after"])
def test_a_withdrawn_upload_of_the_same_file_stays_neutral(days: int) -> None:
    """Staff read that they cannot undo its withdrawal, so reinstating the story does not undo it."""
    photo = make_photo(10)
    story = make_story("The water case", picture=photo)
    upload = Image.objects.create(title="The river", file="a.jpg", width=1, height=1, file_size=1)
    Picture.objects.create(
        source_url=LIBRARY_COPY.format(image=upload.pk),
        file=photo.file,
        sha256=photo.sha256,
        width=photo.width,
        height=photo.height,
    )
    acts = [lambda: take_back(story), lambda: withdraw_upload(upload, now=NOW + days * DAY)]
    for act in acts[::days]:
        act()
    reinstate_story(story=story, by=make_editor())
    assert find_withdrawn_pictures() == {photo.sha256}


def test_a_withdrawn_original_stops_the_hours_still_to_come() -> None:
    original, _ = make_pair()
    publication = make_publication(language="es", send_at="local")
    add_readers(publication, auckland=12, london=25)
    send = start_send(issue=make_issue(publication, approved=True), now=AUCKLAND_HOUR)
    work_at(AUCKLAND_HOUR)
    Send.objects.update(provider="mailgun")
    assert take_back(original).mails_sent == 12
    work_at(LONDON_HOUR)
    assert reload(send).state == "paused"
    assert send.batches.filter(state="pending").count() == 1


def test_an_original_that_vanished_stops_the_hours_still_to_come(site: Site) -> None:
    site.put("/verdict/", "<article><h1>The water case</h1></article>")
    original, _ = make_pair(original={"url": site.url + "/verdict/"}, external_id="desk:es")
    publication = make_publication(language="es", send_at="local")
    add_readers(publication, auckland=12, london=25)
    send = start_send(issue=make_issue(publication, approved=True), now=AUCKLAND_HOUR)
    work_at(AUCKLAND_HOUR)
    site.put("/verdict/", "", status=404)
    work_at(LONDON_HOUR)
    assert Story.objects.get(pk=original.pk).gone_code == "removed"
    assert reload(send).state == "paused"
    assert send.batches.filter(state="pending").count() == 1


def test_the_last_check_asks_for_the_original_too(site: Site) -> None:
    site.put("/verdict/", "<article><h1>The water case</h1></article>")
    make_pair(original={"url": site.url + "/verdict/"}, external_id="desk:es")
    issue = make_spanish_issue()
    site.put("/verdict/", "", status=404)
    with pytest.raises(NotApproved, match=r"The water case.*removed at its source"):
        require_stories_at_source(issue=issue, now=NOW + timedelta(hours=1))
    issue.refresh_from_db()
    assert (issue.state, issue.subject) == ("draft", "El segundo caso")


def test_an_automatic_issue_with_a_gone_original_is_held() -> None:
    original, _ = make_pair()
    publication = make_publication(language="es", approval="auto", another_approves=False)
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    Story.objects.filter(pk=original.pk).update(**GONE)
    assert remove_gone_stories(now=NOW) == [issue]
    issue.refresh_from_db()
    assert "the story “El caso del agua” is gone: removed at its source" in issue.held_reason


@pytest.mark.parametrize("change", [{"withdrawn_at": NOW}, GONE], ids=["withdrawn", "gone"])
def test_nothing_else_may_show_the_translations_picture(change: dict[str, Any]) -> None:
    original, translation = make_pair(picture=make_photo(90))
    add_story_image(translation)
    image = translation.images.get().image
    publication = make_publication(slug="other")
    make_story("The prison letter")
    issue = make_issue(publication)
    body = issue.body.get_prep_value()
    body[0 if body[0]["type"] == "lead_story" else 1]["value"]["picture"] = image.pk
    issue.body = issue.body.stream_block.to_python(body)
    issue.save()
    assert resolve_content(Issue.objects.get(pk=issue.pk)).stories[0].picture is not None
    Story.objects.filter(pk=original.pk).update(**change)
    assert resolve_content(Issue.objects.get(pk=issue.pk)).stories[0].picture is None
    assert find_restricted_stories(at=NOW, required=False) == [translation.pk]


def test_a_withdrawn_translation_pauses_what_shows_it() -> None:
    _, translation = make_pair()
    _, send = make_bilingual_send()
    done = take_back(translation)
    assert done.paused == [send.issue]
    send = reload(send)
    assert "so its mails to 1 person are not sent" in send.reason
    assert "correct the issue and send it to those not reached" in send.reason


def test_its_readers_get_the_original_by_sending_to_those_not_reached() -> None:
    _, translation = make_pair()
    _, send = make_bilingual_send()
    take_back(translation)
    cancel_send(send=reload(send), by=make_approver(), now=NOW)
    made = complete_send(issue=Issue.objects.get(), by=make_approver(), now=NOW)
    approve_issue(issue=made, by=make_approver(), now=NOW)
    second = start_send(issue=Issue.objects.get(pk=made.pk), now=NOW)
    (variant,) = Variant.objects.filter(pk__in=second.batches.values("variant"))
    assert second.batches.get().size == 3
    assert "The water case" in variant.text
    assert "El caso del agua" not in variant.text


def test_a_withdrawn_translation_leaves_its_originals_pictures() -> None:
    shared = make_photo(10)
    original, translation = make_pair(original={"picture": shared}, picture=make_photo(90))
    Story.objects.filter(pk=translation.pk).update(library_image=None)
    make_story("Otra foto", language="es", picture=shared)
    take_back(translation)
    assert find_withdrawn_pictures() == {translation.picture.sha256}
    other = make_story("Le procès de l’eau", language="fr", translation_of=original, picture=shared)
    take_back(other)
    assert find_withdrawn_pictures() == {translation.picture.sha256}
