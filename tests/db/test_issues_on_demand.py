"""An issue on demand: made by a person, planned, closed or deleted, and sent with the guarantees of any other."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from newsletter.common.errors import NotAllowed, NotConfirmed, NotReady, WrongState
from newsletter.common.translation import translate
from newsletter.issues.approval.approval_rules import count_recipients
from newsletter.issues.approval.approve import approve_issue, find_current_approval
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.reassemble import preview_reassembly
from newsletter.issues.assembly.slots import find_slots_to_assemble, get_or_create_slot
from newsletter.issues.planning.change_time import change_time
from newsletter.issues.planning.close_issue import close_issue, delete_issue
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.issues.planning.restore_revision import restore_revision
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.jobs.scheduler_jobs import assemble_due, start_due_sends
from newsletter.models import Issue, Publication, Send, Slot, StoryPlacement
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.issue_status import status_of
from subscribers.models import Segment
from tests.support.fixtures import (
    DUE,
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_source,
    make_story,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=3)


def create(publication: Publication, beginning: Beginning = Beginning.RULES, **fields: object) -> Issue:
    return create_issue(publication=publication, beginning=beginning, **{"by": None, "now": NOW, **fields})


def titles(issue: Issue) -> list[str]:
    return [story.title for story in resolve_content(Issue.objects.get(pk=issue.pk)).stories]


def segment(**rule: object) -> Segment:
    return Segment.objects.create(slug="south", name="The south", rule={"all": [rule]})


def test_the_rules_make_an_issue_at_any_time_without_a_slot(publication: Publication) -> None:
    make_story("The first verdict")
    issue = create(publication)
    assert (titles(issue), issue.slot_id, issue.due_at, issue.number) == (["The first verdict"], None, None, 1)
    assert not Slot.objects.exists()
    with pytest.raises(NotReady, match="the rules would make an empty issue"):
        create(publication)


def test_rules_that_find_nothing_name_the_sources_not_read(publication: Publication) -> None:
    ending = " So the rules would make an empty issue. Begin with a copy or an empty issue."
    with pytest.raises(NotReady) as nothing_new:
        create(publication)
    assert (
        str(nothing_new.value) == f"Nothing new: no story and no new event since the last issue was assembled.{ending}"
    )
    make_source("Field offices", failures=3)
    with pytest.raises(NotReady) as unread:
        create(publication)
    names = "Nothing new was found. These sources could not be read, so there may be news: Field offices."
    assert str(unread.value) == f"{names}{ending}"
    with translation.override("es"):
        assert translate(unread.value) == (
            "No se encontró nada nuevo. Estas fuentes no se pudieron leer, así que puede haber novedades: Field offices. "
            "Por eso, las reglas harían un número vacío. Empieza con una copia o un número vacío."
        )


def test_a_story_of_an_issue_on_demand_is_not_in_the_next_slots_issue(publication: Publication) -> None:
    make_story("The first verdict")
    create(publication)
    make_story("A second verdict", days_old=2)
    assert titles(make_issue(publication)) == ["A second verdict"]


def test_a_copy_leaves_out_what_readers_had_and_what_is_over(publication: Publication) -> None:
    make_story("The first verdict")
    make_event("Soon over", online=True, days_ahead=2)
    make_event("A vigil", online=True, days_ahead=20)
    original = make_issue(publication)
    original.headline = "Our own headline"
    original.save()
    Issue.objects.filter(pk=original.pk).update(state=Issue.State.SENT)
    copy = create(publication, Beginning.COPY, original=Issue.objects.get(), now=NOW + timedelta(days=5))
    assert (copy.subject, copy.headline, titles(copy)) == ("The first verdict", "Our own headline", [])
    assert [event.title for event in resolve_content(copy).events] == ["A vigil"]
    again = create(publication, Beginning.COPY, original=copy)
    assert again.number == 3


def test_a_copy_of_a_cancelled_issue_keeps_its_stories(publication: Publication) -> None:
    make_story("The first verdict")
    original = make_issue(publication)
    close_issue(issue=original, reason="Too early", by=make_approver(), now=NOW)
    copy = create(publication, Beginning.COPY, original=original)
    assert titles(copy) == ["The first verdict"]
    assert StoryPlacement.objects.get().issue_id == copy.pk


def test_an_empty_issue_has_only_the_introduction() -> None:
    publication = make_publication(intro="Dear friends,")
    make_story("The first verdict")
    assert [child.block_type for child in create(publication, Beginning.EMPTY).body] == ["note"]


@pytest.mark.postgres
def test_one_form_makes_one_issue(publication: Publication) -> None:
    make_story("The first verdict")
    first = create(publication, Beginning.EMPTY, public_id="a" * 24)
    assert create(publication, Beginning.EMPTY, public_id="a" * 24) == first
    assert Issue.objects.count() == 1


def test_a_writer_without_the_right_and_a_past_time_are_refused(publication: Publication) -> None:
    nobody = make_approver("nobody@example.org")
    nobody.user_permissions.clear()
    with pytest.raises(NotAllowed, match="may not make issues"):
        create(publication, Beginning.EMPTY, by=type(nobody).objects.get(pk=nobody.pk))
    with pytest.raises(WrongState, match="4 March 2026, 09:30 has passed"):
        create(publication, Beginning.EMPTY, due="2026-03-04T09:30")


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_it_goes_to_a_segment_and_the_receipt_names_it() -> None:
    publication = make_publication()
    add_subscribers(publication, 3, where=LONDON)
    add_subscribers(publication, 2, where=HOUSTON, start=3)
    make_story("The first verdict")
    issue = create(publication, segment=segment(region="GB-ENG"))
    assert count_recipients(issue, now=NOW) == 3
    approval = approve_issue(issue=issue, by=make_approver(), now=NOW)
    assert (approval.people, approval.audience["narrowed"]["segment"]) == (3, issue.segment_id)
    send = start_send(issue=Issue.objects.get(), now=NOW)
    assert send.recipients == 3
    audience = status_of(Issue.objects.get())["audience"]
    assert (audience["list"], audience["segments"], audience["recipients"]) == ("weekly", ["south"], 3)


@pytest.mark.postgres
def test_its_segment_narrows_that_of_the_publication() -> None:
    Segment.objects.create(slug="uk", name="UK", rule={"all": [{"region": "GB-ENG"}]})
    publication = make_publication(segment=Segment.objects.get())
    add_subscribers(publication, 3, where=LONDON)
    add_subscribers(publication, 2, where=HOUSTON, start=3)
    issue = create(publication, Beginning.EMPTY, segment=segment(region="US-TX"))
    assert count_recipients(issue, now=NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_a_changed_segment_voids_its_approval() -> None:
    publication = make_publication()
    add_subscribers(publication, 3, where=LONDON)
    make_story("The first verdict")
    issue = create(publication, segment=segment(region="GB-ENG"))
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    Segment.objects.update(rule={"all": [{"region": "GB-SCT"}]})
    assert find_current_approval(Issue.objects.select_related("segment").get()) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_the_scheduler_sends_it_at_its_time_once_approved() -> None:
    publication = make_publication(approval="auto")
    add_subscribers(publication, 1)
    make_story("The first verdict")
    issue = create(publication, due="2026-03-04T11:00")
    start_due_sends(now=LATER)
    assert not Send.objects.exists(), "a person must approve it, also if the publication needs no approval"
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    start_due_sends(now=NOW)
    assert not Send.objects.exists()
    start_due_sends(now=LATER)
    start_due_sends(now=LATER)
    assert Send.objects.get().recipients == 1


def test_without_a_time_the_scheduler_never_sends_it(publication: Publication) -> None:
    add_subscribers(publication, 1)
    make_story("The first verdict")
    approve_issue(issue=create(publication), by=make_approver(), now=NOW)
    start_due_sends(now=NOW + timedelta(days=400))
    assert not Send.objects.exists()


def test_a_new_time_withdraws_the_approval_and_keeps_the_slot(publication: Publication) -> None:
    add_subscribers(publication, 1)
    make_story("The first verdict")
    issue = make_issue(publication, approved=True)
    assert change_time(issue=issue, due="2026-03-06T10:00", by=make_approver(), now=NOW) is True
    issue = Issue.objects.get()
    assert (f"{issue.due_at:%Y-%m-%d %H:%M}", issue.state) == ("2026-03-06 10:00", Issue.State.DRAFT)
    assert Slot.objects.get().due_local == DUE
    assert assemble_due(now=NOW + timedelta(hours=1)) == []
    with pytest.raises(WrongState, match="so it needs a time"):
        change_time(issue=issue, due="", by=make_approver(), now=NOW)
    with pytest.raises(WrongState, match="has passed"):
        change_time(issue=issue, due="2026-03-01T10:00", by=make_approver(), now=NOW)


@pytest.mark.postgres
def test_a_skipped_issue_is_on_record_and_never_assembled_again(publication: Publication) -> None:
    add_subscribers(publication, 1)
    make_story("The first verdict")
    issue, by = make_issue(publication, approved=True), make_approver()
    with pytest.raises(NotReady, match="Write a reason"):
        close_issue(issue=issue, reason=" ", by=by, now=NOW)
    close_issue(issue=issue, reason="Holiday week", by=by, now=NOW)
    issue = Issue.objects.get()
    assert (issue.state, issue.closed_by, issue.closed_reason) == (Issue.State.CANCELLED, by, "Holiday week")
    slot = Slot.objects.get()
    assert slot.state == Slot.State.SKIPPED
    assert find_slots_to_assemble(now=NOW) == []
    again = assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW)
    assert (again.issue, again.made) == (issue, False)
    with pytest.raises(WrongState, match="too late"):
        close_issue(issue=issue, reason="Again", by=by, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Issue.objects.update(closed_reason="")


@pytest.mark.django_db(transaction=True)
def test_an_issue_that_is_being_sent_is_not_closed_or_moved(publication: Publication) -> None:
    add_subscribers(publication, 1)
    make_story("The first verdict")
    issue, by = make_issue(publication, approved=True), make_approver()
    start_send(issue=Issue.objects.get(), now=NOW)
    with pytest.raises(WrongState, match="too late"):
        close_issue(issue=issue, reason="Stop", by=by, now=NOW)
    with pytest.raises(WrongState, match="too late"):
        change_time(issue=issue, due="2026-03-06T10:00", by=by, now=NOW)


@pytest.mark.postgres
def test_only_a_draft_on_demand_that_nobody_approved_is_deleted(publication: Publication) -> None:
    add_subscribers(publication, 1)
    make_story("The first verdict")
    by = make_approver()
    with pytest.raises(WrongState, match="stays on record"):
        delete_issue(issue=make_issue(publication), reason="Made by mistake", by=by)
    make_story("A second verdict")
    issue = create(publication)
    delete_issue(issue=issue, reason="Made by mistake", by=by)
    assert Issue.objects.count() == 1
    approved = create(publication)
    approve_issue(issue=approved, by=by, now=NOW)
    with pytest.raises(WrongState, match="stays on record"):
        delete_issue(issue=approved, reason="Made by mistake", by=by)


def test_going_back_restores_content_and_voids_the_approval(publication: Publication) -> None:
    add_subscribers(publication, 1)
    make_story("The first verdict")
    issue, by = make_issue(publication), make_approver()
    first = issue.latest_revision
    issue.subject, issue.layout = "Our own subject", "digest"
    issue.save()
    issue.save_revision(log_action=False)
    approve_issue(issue=issue, by=by, now=NOW)
    with pytest.raises(NotConfirmed, match="Nothing was changed"):
        restore_revision(issue=issue, revision=first, by=by, now=NOW)
    assert Issue.objects.get().state == Issue.State.APPROVED
    assert restore_revision(issue=issue, revision=issue.latest_revision, by=by, now=NOW) is False
    assert restore_revision(issue=issue, revision=first, by=by, now=NOW, may_withdraw=True) is True
    issue = Issue.objects.get()
    assert (issue.subject, issue.layout, issue.state) == ("The first verdict", "", Issue.State.DRAFT)
    assert issue.revisions.count() == 4


def test_the_command_makes_one_now(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    make_story("The first verdict", published_at=None, seen_at=timezone.now())
    call_command("assemble", "weekly", "--now", "--json")
    row = json.loads(capsys.readouterr().out)
    assert (row["slot"], row["state"], row["issue"]["number"]) == (None, "assembled", 1)


def test_an_issue_on_demand_can_be_assembled_again(publication: Publication) -> None:
    make_story("The first verdict")
    issue = create(publication)
    make_story("A second verdict", published_at=NOW, seen_at=NOW)
    assert preview_reassembly(issue=issue, now=NOW).added == ["A second verdict"]
    with pytest.raises(WrongState, match="not assembled from the sources"):
        preview_reassembly(issue=create(publication, Beginning.EMPTY), now=NOW)
