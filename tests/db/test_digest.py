"""The monthly digest: one slot a month with the sent stories of its issues, only for those who chose it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from newsletter.common.errors import NotReady
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.assemble import Assembly, assemble_slot
from newsletter.issues.assembly.lookup import find_issue
from newsletter.issues.assembly.slots import create_due_slots, get_or_create_slot
from newsletter.issues.snapshot.placements import update_story_placements
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_people
from newsletter.jobs.notices.about_issues import notify_assembly
from newsletter.models import Delivery, Issue, Publication, Send, Slot, StaffNotice, Story, StoryPlacement
from newsletter.sending.freezing.start import start_send
from subscribers.models import MailingList, Subscription
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_publication,
    make_source,
    make_story,
)

pytestmark = pytest.mark.django_db(transaction=True)

APRIL = datetime(2026, 4, 1, 8, tzinfo=UTC)
"""The first of the month, 09:00 in London, which is summer time by then."""
EVE = APRIL - timedelta(hours=20)


def make_reader(publication: Publication, *, start: int, frequency: str) -> None:
    people = add_subscribers(publication, 1, start=start)
    Subscription.objects.filter(subscriber__in=people).update(frequency=frequency)


def send_out(issue: Issue, *, now: datetime) -> Send:
    """Put the issue and its send into the state after sending."""
    approve_issue(issue=issue, by=make_approver(), now=now)
    send = start_send(issue=issue, now=now)
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.SENT)
    return send


def publish_month(publication: Publication) -> list[Issue]:
    """Publish two issues of March with three stories each, one with an edited headline."""
    issues = []
    for week in range(2):
        now = NOW + timedelta(days=7 * week)
        for number in range(3):
            moment = now - timedelta(hours=1 + number)
            make_story(f"Week {week} story {number}", published_at=moment, seen_at=moment)
        slot = get_or_create_slot(publication=publication, due=f"2026-03-{5 + 7 * week:02}T09:00", now=now)
        issue = assemble_slot(slot=slot, now=now).issue
        assert issue is not None
        if week == 1:
            issue.body[0].value["headline"] = "The verdict, as we tell it"
            issue.save()
        send_out(issue, now=now)
        issues.append(issue)
    return issues


def assemble_digest(publication: Publication, *, now: datetime = EVE) -> Assembly:
    return assemble_slot(
        slot=get_or_create_slot(publication=publication, due="", now=now, kind=Slot.Kind.DIGEST), now=now
    )


@pytest.fixture
def weekly() -> Publication:
    publication = make_publication()
    make_source(last_success_at=EVE)
    make_reader(publication, start=0, frequency="every")
    make_reader(publication, start=10, frequency="monthly")
    return publication


def test_the_digest_lists_lead_stories_first_with_staff_texts(weekly):
    publish_month(weekly)
    make_story("Not sent to anybody yet", published_at=EVE, seen_at=EVE)
    issue = assemble_digest(weekly).issue
    assert issue is not None
    assert str(issue) == "The weekly letter, monthly digest 1"
    assert issue.subject == "March 2026 · Week 1 story 0"
    lead, others = issue.body[0].value, issue.body[1].value["stories"]
    assert lead["headline"] == "The verdict, as we tell it"
    titles = [value["story"].title for value in others]
    assert titles == [f"Week {week} story {number}" for week, number in ((0, 0), (1, 1), (1, 2), (0, 1), (0, 2))]
    assert all(reason["why"] for reason in issue.reasons)


def test_only_monthly_subscribers_get_the_digest_and_nothing_else(weekly):
    first, _ = publish_month(weekly)
    assert count_people(first, now=EVE).excluded == {"monthly": 1}
    send = send_out(assemble_digest(weekly).issue, now=EVE)
    assert (send.recipients, send.excluded) == (1, {"every_issue": 1})


def test_the_digest_slot_is_created_once_a_month_before_it_is_due(weekly):
    def opened(now: datetime) -> list[str]:
        return [slot.due_local for slot in create_due_slots(publication=weekly, now=now, kind="digest")]

    assert opened(APRIL - timedelta(hours=25)) == []
    assert opened(EVE) == ["2026-04-01T09:00"]
    assert opened(APRIL + timedelta(hours=1)) == []
    assert opened(APRIL + timedelta(days=30)) == ["2026-05-01T09:00"]


def test_no_digest_without_subscribers_or_if_switched_off(weekly):
    Subscription.objects.update(frequency="every")
    assert create_due_slots(publication=weekly, now=EVE, kind="digest") == []
    Subscription.objects.update(frequency="monthly")
    weekly.monthly_digest = False
    assert create_due_slots(publication=weekly, now=EVE, kind="digest") == []


def test_the_notice_of_a_skipped_digest_names_the_failing_sources(weekly: Publication) -> None:
    make_source("Field offices", failures=3)
    make_approver()
    notify_assembly(assemble_digest(weekly), now=EVE)
    assert StaffNotice.objects.get().paragraphs == [
        "Nothing new: no issue with a story was sent since the last digest.",
        "These sources could not be read, so new content may be missing: Field offices.",
    ]


def test_a_month_has_one_digest_whatever_its_schedule_says(weekly):
    publish_month(weekly)
    assemble_digest(weekly)
    weekly.digest_schedule = "0 9 * * mon"
    weekly.save()
    again = get_or_create_slot(publication=weekly, due="2026-04-20T09:00", now=APRIL, kind=Slot.Kind.DIGEST)
    assert again.due_local == "2026-04-01T09:00"
    with pytest.raises(IntegrityError), transaction.atomic():
        Slot.objects.create(
            publication=weekly, kind="digest", period="2026-04", due_local="2026-04-20T09:00", due_at=EVE, made_at=EVE
        )


def test_a_month_without_sent_stories_is_skipped(weekly):
    assembly = assemble_digest(weekly)
    assert assembly.issue is None
    assert assembly.slot.state == Slot.State.SKIPPED
    assert assembly.slot.reason.startswith("Nothing new")


def test_stories_appear_in_one_digest_and_missed_months_follow(weekly):
    publish_month(weekly)
    assemble_digest(weekly)
    later = APRIL + timedelta(days=29)
    story = make_story("Of April", published_at=later - timedelta(days=5), seen_at=later - timedelta(days=5))
    make_source().__class__.objects.update(last_success_at=later)
    issue = assemble_slot(
        slot=get_or_create_slot(publication=weekly, due="2026-04-30T09:00", now=later), now=later
    ).issue
    assert issue is not None
    send_out(issue, now=later)
    second = assemble_digest(weekly, now=datetime(2026, 6, 1, 6, tzinfo=UTC)).issue
    assert second is not None
    assert list(second.placements.values_list("story", flat=True)) == [story.pk]


def test_a_story_is_in_one_issue_and_one_digest_at_most(weekly):
    publish_month(weekly)
    digest = assemble_digest(weekly).issue
    assert digest is not None
    row = digest.placements.first()
    assert row is not None
    assert StoryPlacement.objects.filter(story=row.story).count() == 2
    for kind in ("issue", "digest"):
        with pytest.raises(IntegrityError), transaction.atomic():
            StoryPlacement.objects.create(publication=weekly, story=row.story, issue=digest, kind=kind)


def test_manual_edits_move_the_placement_of_a_story(weekly):
    story = make_story("The first verdict")
    issue = make_issue(weekly)
    issue.body[0].value["story"] = make_story("By hand", days_old=60)
    issue.save()
    update_story_placements(issue=issue, content=resolve_content(issue), now=NOW)
    assert list(issue.placements.values_list("story__title", flat=True)) == ["By hand"]
    blank = {"headline": "", "teaser": "", "picture": None, "link": ""}
    other_issue = Issue.objects.create(
        publication=weekly, number=9, public_id="x" * 24, made_at=NOW, body=[("lead_story", blank | {"story": story})]
    )
    update_story_placements(issue=other_issue, content=resolve_content(other_issue), now=NOW)
    issue.body[0].value["story"] = story
    issue.save()
    with pytest.raises(NotReady, match=r"“The first verdict” is already in The weekly letter No\. 9"):
        update_story_placements(issue=issue, content=resolve_content(issue), now=NOW)


def test_a_digest_is_found_by_its_own_number(weekly):
    first, second = publish_month(weekly)
    digest = assemble_digest(weekly).issue
    assert digest is not None
    assert digest.reference == "weekly/digest-1"
    assert find_issue("weekly/digest-1") == find_issue("weekly/digest-latest") == digest
    assert (find_issue("weekly/1"), find_issue("weekly/latest")) == (first, second)


def test_the_subject_of_a_digest_follows_the_language_of_its_version(weekly):
    publish_month(weekly)
    Publication.objects.update(languages=["es"])
    lead = Story.objects.get(title="Week 1 story 0")
    make_story("El veredicto", language="es", translation_of=lead)
    issue = assemble_digest(Publication.objects.get()).issue
    content = resolve_content(issue)
    assert content.subject == "March 2026 · Week 1 story 0"
    assert [version.subject for version in content.versions] == ["Marzo de 2026 · El veredicto"]
    issue.subject = "What March brought"
    issue.save()
    assert [version.subject for version in resolve_content(issue).versions] == ["What March brought"]


def test_a_digest_repeats_stories_that_its_reader_had_elsewhere(weekly: Publication) -> None:
    other_list = MailingList.objects.create(slug="rights", name="Rights")
    fields = {name: getattr(weekly, name) for name in ("brand", "from_name", "from_email", "schedule")}
    rights = Publication.objects.create(slug="rights", name="Rights", mailing_list=other_list, **fields)
    reader = Subscription.objects.get(frequency="monthly", mailing_list=weekly.mailing_list).subscriber
    issues = publish_month(weekly)
    Subscription.objects.create(
        subscriber=reader, mailing_list=other_list, basis="consent", evidence="Form", requested_at=NOW
    )
    repeated = make_issue(rights)
    send_out(repeated, now=NOW)
    assert Delivery.objects.filter(subscriber_id=reader.pk, issue=repeated).exists()
    digest = assemble_digest(weekly).issue
    assert digest is not None
    assert {story.title for story in resolve_content(digest).stories} & {
        story.title for story in resolve_content(issues[0]).stories
    }
    send_out(digest, now=APRIL)
    assert Delivery.objects.filter(subscriber_id=reader.pk, issue=digest).exists()
