"""An approval is for one list, one segment rule and a number of people. Any other audience needs a new approval."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter.common.errors import AudienceChanged, NotApproved, NotReady
from newsletter.issues.approval.approval_rules import count_recipients
from newsletter.issues.approval.approve import require_approval
from newsletter.issues.approval.approved_audience import (
    describe_audience,
    max_people_after_growth,
    max_people_just_seen,
)
from newsletter.issues.approval.void_changed import void_changed_approvals
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_final_audience
from newsletter.jobs.scheduler_jobs import start_due_sends, void_stale_approvals
from newsletter.models import Approval, Delivery, Issue, Publication, Send, StaffNotice
from newsletter.sending.freezing.start import prepare_requested_sends, request_send
from subscribers.models import MailingList, Segment, Subscriber, Topic
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    approve_issue,
    make_approver,
    make_event,
    make_issue,
    make_story,
)
from tests.support.sends import start_send

pytestmark = pytest.mark.django_db(transaction=True)
SLOT = NOW + timedelta(days=1)


@pytest.fixture
def issue(publication: Publication) -> Issue:
    """An issue for the 20 subscribers in London of a list of 60."""
    make_story("The clinic opens its doors")
    add_subscribers(publication, 20, where=LONDON)
    add_subscribers(publication, 40, where=HOUSTON, start=20)
    segment = Segment.objects.create(slug="south", name="The south", rule={"all": [{"any": [{"region": "GB-ENG"}]}]})
    Publication.objects.update(segment=segment)
    return make_issue(Publication.objects.get())


@pytest.fixture
def approved(issue: Issue) -> Issue:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    return issue


def read(issue: Issue) -> Issue:
    return Issue.objects.select_related("publication", "slot").get(pk=issue.pk)


def widen() -> None:
    Segment.objects.update(rule={"all": [{"any": [{"region": "GB-ENG"}, {"region": "US-TX"}]}]})


def another_list() -> None:
    Publication.objects.update(mailing_list=MailingList.objects.create(slug="other", name="The weekly letter"))


def no_segment() -> None:
    Publication.objects.update(segment=None)


def test_an_approval_keeps_list_rule_and_number_of_people(approved: Issue) -> None:
    row = Approval.objects.get()
    assert (row.people, row.audience["list"], len(row.audience_sha256)) == (20, MailingList.objects.get().pk, 64)
    assert row.audience["rule"] == {"all": [{"any": [{"region": "GB-ENG"}]}]}


def sell_something() -> None:
    Publication.objects.update(charitable=False)


def sell_something_once() -> None:
    Issue.objects.update(charitable=False)


CHANGES = [
    (widen, "the segment"),
    (no_segment, "the segment"),
    (another_list, "the list"),
    (sell_something, "your charitable purposes"),
    (sell_something_once, "your charitable purposes"),
]


@pytest.mark.parametrize(("change", "named"), CHANGES)
def test_a_changed_audience_stops_the_send(approved: Issue, change: Callable[[], None], named: str) -> None:
    change()
    with pytest.raises(NotApproved, match=named):
        start_send(issue=read(approved), now=NOW)
    assert not Send.objects.exists()
    assert not Delivery.objects.exists()


def test_a_widened_segment_voids_the_approval_and_notifies_staff(approved: Issue) -> None:
    widen()
    void_stale_approvals(now=NOW)
    assert read(approved).state == "draft"
    assert not approved.approvals.filter(withdrawn_at__isnull=True).exists()
    assert "the segment that gets it" in StaffNotice.objects.filter(key__startswith="changed-")[0].paragraphs[0]
    approve_issue(issue=read(approved), by=make_approver(), now=NOW)
    assert start_send(issue=read(approved), now=NOW).recipients == 60


def test_a_segment_widened_during_the_freeze_mails_nobody(approved: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.sending.freezing import freeze

    made = freeze.make_missing_variants

    def widen_first(**asked: object) -> object:
        widen()
        return made(**asked)  # type: ignore[arg-type]

    monkeypatch.setattr(freeze, "make_missing_variants", widen_first)
    with pytest.raises(NotApproved):
        start_send(issue=read(approved), now=NOW)
    assert not Delivery.objects.exists()


def test_rows_named_by_a_rule_are_part_of_the_audience(issue: Issue) -> None:
    """Another list or topic with the same name differs. “Latest” is replaced by the issue that it means."""
    one, two = Topic.objects.create(slug="law", name="Law"), Topic.objects.create(slug="two", name="Two")
    Segment.objects.update(rule={"none": [{"topic": "law"}, {"all": [{"list": "weekly"}]}]})
    before = describe_audience(read(issue))
    Topic.objects.filter(pk=one.pk).update(slug="old")
    Topic.objects.filter(pk=two.pk).update(slug="law")
    assert describe_audience(read(issue)) != before
    Segment.objects.update(rule={"not_received": "weekly/latest"})
    Issue.objects.update(state="sent")
    assert describe_audience(read(issue))["rule"]["id"] == issue.pk


def test_a_rule_broken_later_counts_as_another_audience(approved: Issue) -> None:
    Segment.objects.update(rule={"topic": "gone"})
    [(voided, changes)] = void_changed_approvals(now=NOW)
    assert (voided, changes) == (approved, ["the segment that gets it"])


def test_too_many_new_people_need_a_new_approval(approved: Issue) -> None:
    add_subscribers(approved.publication, 20, where=LONDON, start=100)
    assert require_approval(read(approved), now=NOW).people == 20
    add_subscribers(approved.publication, 1, where=LONDON, start=120)
    with pytest.raises(AudienceChanged, match="was approved for 20 people and would now go to 41"):
        start_send(issue=read(approved), now=NOW)
    assert read(approved).state == "draft"
    assert not Delivery.objects.exists()
    approve_issue(issue=read(approved), by=make_approver(), now=NOW)
    assert start_send(issue=read(approved), now=NOW).recipients == 41


def test_fewer_people_need_no_new_approval(approved: Issue) -> None:
    Subscriber.objects.filter(pk__in=list(Subscriber.objects.values_list("pk", flat=True)[:15])).delete()
    assert start_send(issue=read(approved), now=NOW).recipients == 5


@pytest.mark.parametrize(
    ("approved_for", "most"), [(0, 20), (13, 33), (200, 220), (219, 240), (5_000, 5_500), (287_000, 287_500)]
)
def test_an_audience_may_grow_by_a_tenth_within_20_and_500(approved_for: int, most: int) -> None:
    assert max_people_after_growth(approved_for) == most


@pytest.mark.parametrize(("seen", "most"), [(0, 1), (5, 6), (65, 71), (287_000, 287_500)])
def test_a_number_that_was_just_read_may_grow_by_a_tenth_or_one(seen: int, most: int) -> None:
    assert max_people_just_seen(seen) == most


def test_growth_stops_a_scheduled_send(approved: Issue) -> None:
    add_subscribers(approved.publication, 21, where=LONDON, start=100)
    start_due_sends(now=SLOT)
    assert (read(approved).state, read(approved).held, Send.objects.count()) == ("draft", False, 0)
    told = StaffNotice.objects.filter(key__startswith="changed-")[0].paragraphs[0]
    assert "would now go to 41" in told
    assert told.endswith("approve it again.")
    assert not told.endswith("..")
    approve_issue(issue=read(approved), by=make_approver(), now=SLOT)
    start_due_sends(now=SLOT)
    assert Send.objects.get().recipients == 41


def test_growth_before_the_freeze_stops_a_manual_send(approved: Issue) -> None:
    request_send(issue=read(approved), by=make_approver(), now=NOW, confirmed_recipients=20)
    add_subscribers(approved.publication, 21, where=LONDON, start=100)
    assert [held.pk for held in prepare_requested_sends(now=NOW)] == [approved.pk]
    assert "would now go to 41" in read(approved).held_reason
    assert not Delivery.objects.exists()


def test_a_send_never_exceeds_the_confirmed_number(approved: Issue) -> None:
    """The confirmed number counts even if the approval allows more."""
    add_subscribers(approved.publication, 11, where=LONDON, start=100)
    with pytest.raises(NotReady, match="You confirmed 10 people, but the issue would now go to 31"):
        request_send(issue=read(approved), by=make_approver(), now=NOW, confirmed_recipients=10)
    assert not Send.objects.exists()


def test_the_approved_number_excludes_people_who_get_nothing(publication: Publication) -> None:
    """Subscribers who want only events, and have none near them, are counted neither now nor at the freeze."""
    make_story("The clinic opens its doors")
    make_event("Evening in Houston", where=HOUSTON)
    add_subscribers(publication, 3, where=LONDON)
    add_subscribers(publication, 2, where=HOUSTON, start=10)
    publication.mailing_list.subscriptions.update(frequency="events")
    issue = make_issue(publication)
    Publication.objects.update(second_approval_above=2)
    approval = approve_issue(issue=read(issue), by=make_approver(), now=NOW)
    assert (approval.people, count_recipients(read(issue)), read(issue).state) == (2, 2, "approved")
    assert count_final_audience(read(issue), content=resolve_content(read(issue)), now=NOW).eligible == 2
    assert start_send(issue=read(issue), now=NOW).recipients == 2


def test_two_approvals_must_both_cover_the_audience(issue: Issue) -> None:
    Publication.objects.update(second_approval_above=10)
    ann, bob = make_approver("ann@example.org"), make_approver("bob@example.org")
    approve_issue(issue=read(issue), by=ann, now=NOW)
    add_subscribers(issue.publication, 21, where=LONDON, start=100)
    approve_issue(issue=read(issue), by=bob, now=NOW)
    assert read(issue).state == "in_review"
    approve_issue(issue=read(issue), by=ann, now=NOW)
    assert read(issue).state == "approved"
    assert start_send(issue=read(issue), now=NOW).recipients == 41


def test_an_approval_without_an_audience_is_not_enough(approved: Issue) -> None:
    Approval.objects.update(audience={}, audience_sha256="", people=None)
    with pytest.raises(NotApproved, match="it was approved before approvals said who gets it"):
        start_send(issue=read(approved), now=NOW)
    void_stale_approvals(now=NOW)
    assert read(approved).state == "draft"
    assert not Send.objects.exists()


def test_a_frozen_send_continues(approved: Issue) -> None:
    send = start_send(issue=read(approved), now=NOW)
    Approval.objects.update(audience={}, audience_sha256="", people=None)
    widen()
    void_stale_approvals(now=NOW)
    send.refresh_from_db()
    assert (send.state, approved.approvals.filter(withdrawn_at__isnull=True).count()) == ("submitting", 1)
