"""A welcome: each new subscriber gets each of its mails once, in order, on its day, or a reason why not."""

from datetime import time, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.test import Client

from newsletter.common.errors import NotReady, WrongState
from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.issues.approval.approve import approve_issue, withdraw_approvals
from newsletter.issues.approval.hold import hold_issue, release_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.planning.welcome import change_delay, find_welcome_texts, set_up_welcome, turn_off_welcome
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_people
from newsletter.issues.variants.recipient_groups import RecipientGroup, choose_visible_for_group
from newsletter.issues.visible.visible_content import filter_visible
from newsletter.jobs.welcome_mails import send_due_welcomes
from newsletter.models import (
    Batch,
    Delivery,
    EventNotice,
    Issue,
    MailLimits,
    Publication,
    Send,
    StaffNotice,
    Story,
    WelcomeStep,
)
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.send_times import find_wait
from newsletter.sending.settling.mark_uncertain_after_restore import mark_open_batches_uncertain, release_after_restore
from newsletter.sending.settling.retention import RETENTION, delete_old_deliveries
from newsletter.sending.settling.send_controls import (
    cancel_send,
    pause_send,
)
from subscribers.erasing.erasure import erase_person
from subscribers.models import ImportBatch, MailedLink, Segment, Subscriber, Subscription, Suppression
from subscribers.people.change_address import confirm_address_change, request_correction
from subscribers.people.preferences import pause_mail
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_place,
    make_publication,
    make_story,
)
from tests.support.people import path_to
from tests.support.sends import send_issue
from tests.support.welcome import LATER, check_welcome, join, list_steps, run_welcome, turn_on_welcome

pytestmark = pytest.mark.django_db(transaction=True)
SOON = NOW + 2 * LATER
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def mailgun(fake_provider: FakeProvider, settings: object) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url  # type: ignore[attr-defined]
    return fake_provider


@pytest.fixture
def weekly() -> Publication:
    return make_publication()


@pytest.mark.long
@pytest.mark.requirement("N10")
def test_a_new_subscriber_gets_each_mail_once_on_its_day(weekly: Publication, mailgun: FakeProvider) -> None:
    mails = turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    assert list_steps(person) == ["accepted", "waiting", "waiting"]
    for days, done in ((2, 1), (3.1, 2), (4, 2), (10.1, 3), (30, 3)):
        run_welcome(SOON + days * DAY)
        assert list_steps(person).count("accepted") == done
    assert mailgun.accepted_counts() == {"new@example.com": 3}
    assert [check_welcome(issue) for issue in mails] == [{"accepted": 1}] * 3


def test_the_first_mail_says_what_to_expect_and_how_to_choose(weekly: Publication, mailgun: FakeProvider) -> None:
    turn_on_welcome(weekly)
    join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    (mail,) = mailgun.mailbox("new@example.com")
    words = " ".join(mail.text.split())
    assert mail.subject == f"Welcome to {weekly.name}"
    assert "In each issue you find stories from our work, events near you, and ways to get involved." in words
    assert "one to choose what you get and how often, and one to unsubscribe with one click" in words
    assert "/p/" in mail.text
    assert "/u/" in mail.text


@pytest.mark.long
def test_a_new_subscriber_is_welcomed_in_their_language(weekly: Publication, mailgun: FakeProvider) -> None:
    further = [language for language in OFFERED_LANGUAGES if language != "en"]
    Publication.objects.update(languages=further)
    weekly.refresh_from_db()
    mails = turn_on_welcome(weekly)
    people = {language: join(weekly.mailing_list, f"{language}@example.org") for language in (*further, "cy")}
    for language, person in people.items():
        Subscriber.objects.filter(pk=person.pk).update(language=language)
    for days in (0, 3.1, 10.1):
        run_welcome(SOON + days * DAY)
    for mail, english in zip(mails, find_welcome_texts("en"), strict=True):
        shown = {delivery.subscriber_id: delivery.batch.variant for delivery in Delivery.objects.filter(issue=mail)}
        for language in further:
            variant = shown[people[language].pk]
            own = find_welcome_texts(language)[mail.number - mails[0].number]
            assert variant.language == language
            assert variant.subject == own.subject.replace("{publication}", weekly.name)
            assert own.preheader in variant.html
            assert own.notes[0][0] in variant.text
            assert english.notes[0][0] not in variant.text
        assert shown[people["cy"].pk].subject == english.subject.replace("{publication}", weekly.name)


def test_two_people_who_confirm_in_one_minute_share_a_send(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    join(weekly.mailing_list, "a@example.com")
    run_welcome(SOON)
    join(weekly.mailing_list, "b@example.com", at=SOON)
    join(weekly.mailing_list, "c@example.com", at=SOON)
    run_welcome(SOON + LATER)
    send = Send.objects.get(issue=first)
    assert (send.recipients, send.batches.count(), send.state) == (3, 2, "submitted")
    assert check_welcome(first) == {"accepted": 3}
    first.refresh_from_db()
    assert first.state == "approved"


def test_each_month_has_a_send_of_its_own(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    for number, at in enumerate((NOW + LATER, NOW + 31 * DAY)):
        join(weekly.mailing_list, f"person{number}@example.com", at=at)
        run_welcome(at + LATER)
    assert list(first.sends.order_by("pk").values_list("period", "recipients")) == [("2026-03", 1), ("2026-04", 1)]


def test_people_who_were_on_the_list_before_get_no_welcome(weekly: Publication) -> None:
    join(weekly.mailing_list, "before@example.com", at=NOW - DAY)
    turn_on_welcome(weekly)
    run_welcome(SOON)
    assert not WelcomeStep.objects.exists()


def test_imported_people_get_no_welcome(weekly: Publication) -> None:
    turn_on_welcome(weekly)
    (person,) = add_subscribers(weekly, 1)
    batch = ImportBatch.objects.create(mailing_list=weekly.mailing_list, evidence="a form", by="data", started_at=NOW)
    Subscription.objects.filter(subscriber=person).update(requested_at=SOON, import_batch=batch)
    run_welcome(SOON + LATER)
    assert list_steps(person) == []


def test_a_list_without_confirmation_welcomes_too(weekly: Publication) -> None:
    turn_on_welcome(weekly)
    (person,) = add_subscribers(weekly, 1)
    Subscription.objects.update(requested_at=NOW + LATER)
    run_welcome(SOON)
    assert list_steps(person)[0] == "accepted"


def test_an_unconfirmed_request_is_not_welcomed(weekly: Publication) -> None:
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    Subscription.objects.update(confirmed_at=None)
    run_welcome(SOON)
    assert list_steps(person) == []


def test_nobody_gets_a_step_twice_after_subscribing_again(weekly: Publication, mailgun: FakeProvider) -> None:
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    unsubscribe_from_all(subscriber=person, now=SOON + DAY)
    run_welcome(SOON + 4 * DAY)
    assert list_steps(person) == ["accepted", "unsubscribed", "unsubscribed"]
    Suppression.objects.all().delete()
    join(weekly.mailing_list, "new@example.com", at=SOON + 5 * DAY)
    for days in (6, 9, 16):
        run_welcome(SOON + days * DAY)
    assert mailgun.accepted_counts() == {"new@example.com": 1}


@pytest.mark.parametrize("page", ["", "/all"])
def test_a_welcome_continues_after_an_undone_unsubscribe(weekly: Publication, mailgun: FakeProvider, page: str) -> None:
    first, *_ = turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    other = join(weekly.mailing_list, "other@example.com", at=SOON)
    with time_machine.travel(SOON + LATER, tick=False):
        send_due_welcomes(now=SOON + LATER)
        for each in (person, other):
            Client().post(f"{path_to(each, weekly.mailing_list)}{page}")
    run_welcome(SOON + 2 * LATER)
    assert (list_steps(person), list_steps(other)) == (["accepted", *["unsubscribed"] * 2], ["unsubscribed"] * 3)
    with time_machine.travel(SOON + 3 * LATER, tick=False):
        for each in (person, other):
            Client().post(f"{path_to(each, weekly.mailing_list)}{page}/undo")
    assert list_steps(person) == ["accepted", "waiting", "waiting"]
    for days in (0.1, 3.1, 10.1):
        run_welcome(SOON + days * DAY)
    assert mailgun.accepted_counts() == {"new@example.com": 3, "other@example.com": 2}
    assert check_welcome(first) == {"accepted": 1, "skipped": 1}


def test_the_database_refuses_a_second_row_of_a_step(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    row = WelcomeStep.objects.get(issue=first)
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


@pytest.mark.requirement("N10")
def test_somebody_who_leaves_between_freeze_and_call_is_skipped(weekly: Publication, mailgun: FakeProvider) -> None:
    first, *_ = turn_on_welcome(weekly)
    person, other = (join(weekly.mailing_list, f"{name}@example.com") for name in "ab")
    with time_machine.travel(SOON, tick=False):
        send_due_welcomes(now=SOON)
    assert Delivery.objects.filter(issue=first).count() == 2
    unsubscribe_from_all(subscriber=person, now=SOON)
    run_welcome(SOON + LATER)
    assert mailgun.accepted_counts() == {"b@example.com": 1}
    assert check_welcome(first) == {"accepted": 1, "skipped": 1}
    assert list_steps(person) == ["unsubscribed"] * 3
    assert list_steps(other)[0] == "accepted"


@pytest.mark.requirement("N10")
def test_pausing_ends_the_welcome(weekly: Publication) -> None:
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    pause_mail(subscriber=person, days=30, now=SOON + DAY)
    run_welcome(SOON + 2 * DAY)
    Subscription.objects.update(paused_until=None)
    run_welcome(SOON + 12 * DAY)
    assert list_steps(person) == ["accepted", "paused", "paused"]


@pytest.mark.requirement("N10")
def test_a_changed_address_stops_the_welcome(weekly: Publication, mailgun: FakeProvider) -> None:
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "old@example.com")
    run_welcome(SOON)
    request_correction(person=person, email="new@example.com", now=SOON + DAY / 2)
    confirm_address_change(link=MailedLink.objects.get(kind="arrive"), now=SOON + DAY / 2)
    person.refresh_from_db()
    assert person.email == "new@example.com"
    for days in (1, 4, 11):
        run_welcome(SOON + days * DAY)
    assert list_steps(person) == ["accepted", "moved", "moved"]
    assert mailgun.accepted_counts() == {"old@example.com": 1}


@pytest.mark.long
def test_a_later_mail_waits_for_the_one_before(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    hold_issue(issue=first, reason="to read it once more")
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON + 4 * DAY)
    assert list_steps(person) == ["waiting"] * 3
    release_issue(issue=first)
    run_welcome(SOON + 4 * DAY + LATER)
    assert list_steps(person) == ["accepted", "waiting", "waiting"]
    run_welcome(SOON + 4 * DAY + 2 * LATER)
    assert list_steps(person) == ["accepted", "accepted", "waiting"]


def test_a_refused_mail_ends_the_welcome_of_that_person(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    WelcomeStep.objects.filter(issue=first).update(state="sending", settled_at=None)
    Send.objects.get(issue=first).batches.update(state="rejected")
    run_welcome(SOON + 4 * DAY)
    assert list_steps(person) == ["rejected", "earlier_step", "earlier_step"]


def test_while_a_call_is_uncertain_the_next_mail_waits(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    WelcomeStep.objects.filter(issue=first).update(state="sending", settled_at=None)
    batch = Send.objects.get(issue=first).batches.get()
    type(batch).objects.update(state="uncertain")
    run_welcome(SOON + 4 * DAY)
    assert list_steps(person) == ["sending", "waiting", "waiting"]
    type(batch).objects.update(state="written_off")
    run_welcome(SOON + 5 * DAY)
    assert list_steps(person) == ["uncertain", "earlier_step", "earlier_step"]


def test_a_mail_that_is_two_weeks_late_is_not_sent_and_counted(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    hold_issue(issue=first, reason="a long holiday")
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    release_issue(issue=first)
    run_welcome(SOON + 15 * DAY)
    assert list_steps(person) == ["too_late", "accepted", "waiting"]
    run_welcome(SOON + 15 * DAY + LATER)
    assert list_steps(person) == ["too_late", "accepted", "accepted"]
    assert check_welcome(first) == {}


def test_an_edit_withdraws_the_approval_and_pauses_the_welcome(weekly: Publication, mailgun: FakeProvider) -> None:
    first, *_ = turn_on_welcome(weekly)
    first.subject = "A new subject"
    first.save()
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    first.refresh_from_db()
    assert (first.state, list_steps(person)[0]) == ("draft", "waiting")
    assert not mailgun.accepted_counts()
    assert StaffNotice.objects.exists()
    with time_machine.travel(SOON + LATER, tick=False):
        approve_issue(issue=first, by=make_approver(), now=SOON + LATER)
    run_welcome(SOON + 2 * LATER)
    assert list_steps(person)[0] == "accepted"


def test_the_second_mail_cannot_be_approved_before_the_first(weekly: Publication) -> None:
    _first, second, _third = turn_on_welcome(weekly, steps=0)
    with pytest.raises(NotReady, match="Approve the first mail"), time_machine.travel(NOW, tick=False):
        approve_issue(issue=second, by=make_approver(), now=NOW)


def test_a_step_that_is_not_on_is_skipped(weekly: Publication) -> None:
    _first, second, third = turn_on_welcome(weekly)
    turn_off_welcome(issue=second, by=make_approver(), now=NOW)
    person = join(weekly.mailing_list, "new@example.com")
    for days in (0, 4, 11):
        run_welcome(SOON + days * DAY)
    assert list_steps(person) == ["accepted", "accepted"]
    assert check_welcome(third) == {"accepted": 1}


def test_turning_it_off_stops_everybody_and_on_again_takes_only_new_ones(weekly: Publication) -> None:
    first, second, _third = turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    turn_off_welcome(issue=first, by=make_approver(), now=SOON + DAY)
    assert list_steps(person) == ["accepted", "turned_off", "turned_off"]
    second.refresh_from_db()
    assert (second.state, second.on_since) == ("draft", None)
    between = join(weekly.mailing_list, "between@example.com", at=SOON + DAY)
    turn_on_welcome(weekly, at=SOON + 2 * DAY)
    run_welcome(SOON + 11 * DAY)
    assert (list_steps(person), list_steps(between)) == (["accepted", "turned_off", "turned_off"], [])


def test_a_list_has_one_welcome(weekly: Publication) -> None:
    turn_on_welcome(weekly)
    other = make_publication(slug="rights", name="Rights")
    Publication.objects.filter(pk=other.pk).update(mailing_list=weekly.mailing_list)
    other.refresh_from_db()
    with pytest.raises(WrongState, match="has the welcome of"):
        turn_on_welcome(other, steps=1)


@pytest.mark.long
def test_two_welcomes_of_one_list_still_mail_each_person_once(weekly: Publication, mailgun: FakeProvider) -> None:
    turn_on_welcome(weekly)
    other = make_publication(slug="rights", name="Rights")
    turn_on_welcome(other)
    Publication.objects.filter(pk=other.pk).update(mailing_list=weekly.mailing_list)
    join(weekly.mailing_list, "new@example.com")
    for days in (0, 4, 11):
        run_welcome(SOON + days * DAY)
    assert mailgun.accepted_counts() == {"new@example.com": 3}


def test_the_segment_of_the_publication_decides_who_is_welcomed(weekly: Publication) -> None:
    weekly.segment = Segment.objects.create(slug="donors", name="Donors", rule={"giving": "donor"})
    weekly.save()
    turn_on_welcome(weekly)
    donor = join(weekly.mailing_list, "donor@example.com", giving="donor")
    other = join(weekly.mailing_list, "other@example.com")
    run_welcome(SOON)
    assert (list_steps(donor)[0], list_steps(other)) == ("accepted", [])


def test_a_switched_off_publication_sends_no_welcome(weekly: Publication, mailgun: FakeProvider) -> None:
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    Publication.objects.update(enabled=False)
    run_welcome(SOON)
    assert list_steps(person)[0] == "waiting"
    Publication.objects.update(enabled=True)
    run_welcome(SOON + LATER)
    assert list_steps(person)[0] == "accepted"


@pytest.mark.long
def test_the_budget_delays_later_mails_and_never_the_first(weekly: Publication) -> None:
    MailLimits.objects.update_or_create(pk=1, defaults={"mails_in_7_days": 1})
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    run_welcome(SOON + 4 * DAY)
    assert list_steps(person) == ["accepted", "waiting", "waiting"]
    run_welcome(SOON + 7 * DAY)
    assert list_steps(person) == ["accepted", "accepted", "waiting"]


def test_a_welcome_mail_counts_in_the_budget_of_issues(weekly: Publication) -> None:
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    MailLimits.objects.update_or_create(pk=1, defaults={"mails_in_7_days": 1})
    make_story("The first verdict")
    issue = assemble_slot(slot=get_or_create_slot(publication=weekly, due="2026-03-05T09:00", now=NOW), now=NOW).issue
    assert issue is not None
    assert count_people(issue, now=SOON).excluded == {"over_budget": 1}
    assert person.pk


def test_quiet_hours_hold_later_mails_and_not_the_first(weekly: Publication) -> None:
    weekly.quiet_from, weekly.quiet_until = time(9), time(12)
    weekly.save()
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    assert list_steps(person)[0] == "accepted"
    run_welcome(SOON + 4 * DAY)
    assert list_steps(person)[1] == "waiting"
    run_welcome(SOON + 4 * DAY + timedelta(hours=4))
    assert list_steps(person)[1] == "accepted"


def test_quiet_hours_are_those_of_each_persons_own_clock(weekly: Publication) -> None:
    weekly.quiet_from, weekly.quiet_until = time(22), time(7)
    weekly.save()
    turn_on_welcome(weekly)
    here, there = (join(weekly.mailing_list, f"{name}@example.com") for name in ("here", "there"))
    Subscriber.objects.filter(pk=there.pk).update(timezone="Pacific/Auckland")
    run_welcome(SOON)
    morning = SOON + 4 * DAY
    run_welcome(morning)
    assert (list_steps(here)[1], list_steps(there)[1]) == ("accepted", "waiting")
    run_welcome(morning + timedelta(hours=12))
    assert (list_steps(here)[1], list_steps(there)[1]) == ("accepted", "accepted")


def test_a_delayed_welcome_mail_waits_while_it_is_quiet_for_all_its_people(weekly: Publication) -> None:
    weekly.quiet_from, weekly.quiet_until = time(22), time(7)
    weekly.save()
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    evening = (SOON + 4 * DAY).replace(hour=21, minute=0)
    send_due_welcomes(now=evening)
    batch = Batch.objects.get(send__issue__number=2)
    assert find_wait(batch, now=evening) is None
    assert find_wait(batch, now=evening + timedelta(hours=2)) == evening + timedelta(hours=10)
    Subscriber.objects.filter(pk=person.pk).update(timezone="Pacific/Auckland")
    assert find_wait(batch, now=evening + timedelta(hours=2)) is None


def test_a_paused_send_takes_in_nobody(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    join(weekly.mailing_list, "a@example.com")
    run_welcome(SOON)
    Send.objects.filter(issue=first).update(state="submitting")
    pause_send(send=Send.objects.get(issue=first), by=make_approver())
    person = join(weekly.mailing_list, "b@example.com", at=SOON)
    run_welcome(SOON + LATER)
    assert list_steps(person)[0] == "waiting"


def test_a_cancelled_send_holds_the_mail_and_settles_its_people(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "a@example.com")
    with time_machine.travel(SOON, tick=False):
        send_due_welcomes(now=SOON)
    cancel_send(send=Send.objects.get(issue=first), by=make_approver(), now=SOON)
    other = join(weekly.mailing_list, "b@example.com", at=SOON)
    run_welcome(SOON + LATER)
    assert (list_steps(person), list_steps(other)[0]) == (["turned_off", "waiting", "waiting"], "waiting")
    first.refresh_from_db()
    release_issue(issue=first)
    run_welcome(SOON + 2 * LATER)
    assert list_steps(other)[0] == "accepted"


def test_a_welcome_mail_cannot_be_sent_by_hand(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    with pytest.raises(WrongState, match="by itself"):
        start_send(issue=first, now=NOW)


def make_sent_issue(publication: Publication, *titles: str) -> Issue:
    for number, title in enumerate(titles):
        make_story(title, days_old=1 + number)
    add_subscribers(publication, 1, start=90)
    Subscription.objects.update(requested_at=NOW - DAY)
    issue = make_issue(publication, approved=True)
    send_issue(issue)
    return Issue.objects.get(pk=issue.pk)


def show(issue: Issue, *, days: float = 0) -> list[str]:
    with time_machine.travel(SOON + days * DAY, tick=False):
        issue.refresh_from_db()
        content = resolve_content(issue)
        shown = choose_visible_for_group(content, group=RecipientGroup(place_id=0, giving="none", people=1))
        return [story.title for story in filter_visible(content, visible=shown, only_events_subject="").stories]


def test_the_best_story_is_one_of_an_issue_of_the_last_month(weekly: Publication) -> None:
    make_sent_issue(weekly, "The lead", "The second")
    make_story("Never in an issue", days_old=0.5)
    first, second, _third = turn_on_welcome(weekly)
    assert (show(first), show(second)) == (["The lead"], ["The second"])
    assert show(first, days=40) == []


def test_a_new_best_story_leaves_the_approval_as_it_is(weekly: Publication, mailgun: FakeProvider) -> None:
    first, *_ = turn_on_welcome(weekly)
    make_sent_issue(weekly, "The lead")
    join(weekly.mailing_list, "new@example.com", at=NOW + timedelta(hours=1))
    run_welcome(NOW + timedelta(hours=1) + LATER)
    assert check_welcome(first) == {"accepted": 1}
    assert "The lead" in first.sends.get().batches.get().variant.html


def test_a_withdrawn_story_is_never_the_best_story(weekly: Publication) -> None:
    make_sent_issue(weekly, "The lead", "The second")
    first, *_ = turn_on_welcome(weekly)
    Story.objects.filter(title="The lead").update(withdrawn_at=NOW)
    assert show(first) == ["The second"]


def test_without_a_story_the_block_is_left_out(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    assert check_welcome(first) == {"accepted": 1}
    assert show(first) == []


def test_the_second_mail_promises_no_story_that_it_may_not_have(weekly: Publication) -> None:
    _first, second, _third = turn_on_welcome(weekly)
    assert show(second) == []
    assert "Here is a story" not in str(second.body) + second.preheader
    assert "A story from" not in second.preheader


STORIES = ("The lead", "The second", "The third")


def welcome_a_reader_of(weekly: Publication, *, had: int) -> tuple[Issue, Issue]:
    """Return the first two mails of the welcome after their days, for somebody who had the first stories in an issue."""
    make_sent_issue(weekly, *STORIES)
    first, second, _third = turn_on_welcome(weekly)
    join(weekly.mailing_list, "new@example.com")
    if had:
        rights = make_publication(slug="rights", name="Rights", stories=had)
        Publication.objects.filter(pk=rights.pk).update(mailing_list=weekly.mailing_list)
        send_issue(make_issue(Publication.objects.get(pk=rights.pk), approved=True))
    for day in range(5):
        run_welcome(SOON + day * DAY)
    return first, second


def list_stories_in(issue: Issue) -> list[str]:
    html = issue.sends.get().batches.get().variant.html
    return [title for title in STORIES if title in html]


@pytest.mark.long
@pytest.mark.parametrize(
    ("had", "in_first", "in_second"), [(0, "The lead", "The second"), (1, "The second", "The third")]
)
def test_each_reader_sees_the_best_story_that_they_did_not_have(
    weekly: Publication, mailgun: FakeProvider, had: int, in_first: str, in_second: str
) -> None:
    first, second = welcome_a_reader_of(weekly, had=had)
    assert (list_stories_in(first), list_stories_in(second)) == ([in_first], [in_second])


@pytest.mark.long
def test_a_later_mail_is_not_sent_to_somebody_who_had_each_story(weekly: Publication, mailgun: FakeProvider) -> None:
    first, second = welcome_a_reader_of(weekly, had=3)
    assert list_stories_in(first) == []
    step = WelcomeStep.objects.get(issue=second)
    assert (step.state, step.code) == ("not_sent", "empty")


def test_a_welcome_mail_needs_words_of_its_own(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly, steps=0)
    first.body = [("best_story", {})]
    first.save()
    with pytest.raises(NotReady, match="no words of its own"), time_machine.travel(NOW, tick=False):
        approve_issue(issue=first, by=make_approver(), now=NOW)


def test_a_filled_block_works_only_in_a_welcome_mail(weekly: Publication) -> None:
    issue = make_sent_issue(weekly, "The lead")
    Issue.objects.filter(pk=issue.pk).update(state="draft")
    issue.refresh_from_db()
    issue.body = [("best_story", {}), ("note", {"heading": "", "text": "<p>Words</p>"})]
    with pytest.raises(NotReady, match="works only in a welcome mail"):
        approve_issue(issue=issue, by=make_approver(), now=NOW)


def test_each_reader_sees_the_next_event_near_them(weekly: Publication) -> None:
    make_event("In Houston", where=HOUSTON)
    make_event("In London", where=LONDON)
    make_event("In London later", where=LONDON, days_ahead=9)
    first, *_ = turn_on_welcome(weekly)
    for name, where in (("london", LONDON), ("houston", HOUSTON)):
        join(weekly.mailing_list, f"{name}@example.com", place=make_place(where))
    run_welcome(SOON)
    shown = [batch.variant.html for batch in first.sends.get().batches.all()]
    assert sorted("In London" in html for html in shown) == [False, True]
    assert not any("In London later" in html for html in shown)
    assert EventNotice.objects.count() == 3


def test_the_welcome_of_a_publication_without_events_shows_no_next_one(weekly: Publication) -> None:
    Publication.objects.update(events=0)
    make_event("In London", where=LONDON)
    first, *_ = turn_on_welcome(Publication.objects.get(pk=weekly.pk))
    join(weekly.mailing_list, "london@example.com", place=make_place(LONDON))
    run_welcome(SOON)
    (batch,) = first.sends.get().batches.all()
    assert "In London" not in batch.variant.html


def test_no_issue_repeats_a_story_of_the_welcome(weekly: Publication) -> None:
    make_sent_issue(weekly, "The lead")
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com", at=NOW + timedelta(hours=1))
    run_welcome(NOW + timedelta(hours=2))
    rights = make_publication(slug="rights", name="Rights")
    Publication.objects.filter(pk=rights.pk).update(mailing_list=weekly.mailing_list)
    rights.refresh_from_db()
    (other,) = add_subscribers(rights, 1, start=50)
    send = start_send(issue=make_issue(rights, approved=True), now=NOW + timedelta(hours=3))
    assert list(Delivery.objects.filter(batch__send=send).values_list("subscriber_id", flat=True)) == [other.pk]
    assert send.excluded == {"had_the_stories": 2}
    assert list_steps(person)[0] == "accepted"


def test_changed_days_hold_for_people_who_wait(weekly: Publication) -> None:
    _first, second, third = turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    change_delay(issue=second, days=1, by=make_approver())
    run_welcome(SOON + DAY)
    assert list_steps(person)[1] == "accepted"
    for days in (0, 10, 61):
        with pytest.raises(NotReady, match="keep their order"):
            change_delay(issue=second, days=days, by=make_approver())
    assert third.delay_days == 10


def test_setting_up_twice_makes_three_mails(weekly: Publication) -> None:
    for _ in range(2):
        mails = set_up_welcome(publication=weekly, by=make_approver(), now=NOW)
    assert [(mail.number, mail.delay_days, mail.reference) for mail in mails] == [
        (1, 0, "weekly/welcome-1"),
        (2, 3, "weekly/welcome-2"),
        (3, 10, "weekly/welcome-3"),
    ]


@pytest.mark.parametrize("language", OFFERED_LANGUAGES)
def test_a_welcome_begins_with_words_in_the_publications_language(language: str) -> None:
    publication = make_publication(language=language, slug="letter", name="Open Door")
    mails = set_up_welcome(publication=publication, by=make_approver(), now=NOW)
    texts = find_welcome_texts(language)
    assert language == "en" or texts != find_welcome_texts("en")
    assert [mail.subject for mail in mails] == [text.subject.replace("{publication}", "Open Door") for text in texts]


def test_an_erased_person_is_not_welcomed_again(weekly: Publication, mailgun: FakeProvider) -> None:
    turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    erase_person(subscriber=person, by="staff", now=SOON + LATER)
    run_welcome(SOON + DAY)
    assert not WelcomeStep.objects.filter(state="waiting").exists()
    Suppression.objects.all().delete()
    join(weekly.mailing_list, "new@example.com", at=SOON + DAY)
    run_welcome(SOON + 2 * DAY)
    assert mailgun.accepted_counts() == {"new@example.com": 1}


def test_old_rows_name_nobody_and_still_prevent_a_second_welcome(weekly: Publication, mailgun: FakeProvider) -> None:
    turn_on_welcome(weekly)
    join(weekly.mailing_list, "new@example.com")
    for days in (0, 4, 11):
        run_welcome(SOON + days * DAY)
    late = SOON + 12 * DAY + RETENTION
    delete_old_deliveries(now=late)
    assert set(WelcomeStep.objects.values_list("subscriber_id", flat=True)) == {None}
    assert not Delivery.objects.exists()
    Subscription.objects.update(ended_at=late, end_reason="unsubscribe")
    join(weekly.mailing_list, "new@example.com", at=late)
    run_welcome(late + LATER)
    assert mailgun.accepted_counts() == {"new@example.com": 3}


def test_after_a_restore_nobody_gets_a_mail_that_may_have_gone(weekly: Publication, mailgun: FakeProvider) -> None:
    first, *_ = turn_on_welcome(weekly)
    person = join(weekly.mailing_list, "new@example.com")
    findings = mark_open_batches_uncertain(now=SOON)
    assert "weekly/welcome-1" in findings.issues
    assert findings.welcome_mails == 1
    assert mark_open_batches_uncertain(now=SOON + timedelta(minutes=1)).welcome_mails == 1
    release_after_restore(now=SOON)
    Issue.objects.update(held=False)
    run_welcome(SOON + 20 * DAY)
    assert list_steps(person) == ["uncertain", "earlier_step", "earlier_step"]
    assert mark_open_batches_uncertain(now=SOON + 21 * DAY).welcome_mails == 0, "an earlier restore's"
    assert not mailgun.accepted_counts()
    assert first.sends.count() == 0


def test_a_withdrawn_approval_keeps_the_mail_on_and_counts_who_waits(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    withdraw_approvals(issue=first, now=NOW)
    join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    first.refresh_from_db()
    assert (first.state, first.on_since) == ("draft", NOW)
    assert first.welcome_steps.filter(state="waiting").count() == 1


def test_a_welcome_mail_is_never_over(weekly: Publication) -> None:
    first, *_ = turn_on_welcome(weekly)
    with pytest.raises(IntegrityError), transaction.atomic():
        Issue.objects.filter(pk=first.pk).update(state="cancelled")
    with pytest.raises(IntegrityError), transaction.atomic():
        Issue.objects.filter(pk=first.pk).update(due_at=Now())


def test_somebody_for_whom_no_block_is_gets_no_empty_mail(weekly: Publication, mailgun: FakeProvider) -> None:
    first, *_ = turn_on_welcome(weekly, steps=0)
    rule = {"segment": "", "topic": "", "language": "", "giving": "donor", "attribute": "", "attribute_value": ""}
    first.body = [("note", {"heading": "", "text": "<p>Thank you</p>", "show_to": rule})]
    first.save()
    (donor,) = add_subscribers(weekly, 1, giving="donor")
    with time_machine.travel(NOW, tick=False):
        approve_issue(issue=first, by=make_approver(), now=NOW)
    person = join(weekly.mailing_list, "new@example.com")
    run_welcome(SOON)
    assert list_steps(person)[0] == "empty"
    assert "new@example.com" not in mailgun.accepted_counts()
    assert donor.pk
