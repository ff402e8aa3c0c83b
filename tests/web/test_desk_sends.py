"""A send in the desk: started, watched, paused, resumed, cancelled, and its uncertain batches settled."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.issues.approval.approval_rules import count_recipients
from newsletter.models import Batch, Delivery, DeliveryException, Issue, Publication, Send, Story
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.freezing.start import prepare_requested_sends
from newsletter.sending.limits.installation_hold import hold_installation
from newsletter.sending.limits.split_batches import split_off
from newsletter.sending.settling.receipt import list_deliveries
from subscribers.models import Subscription
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story
from tests.support.page_html import compact_html
from tests.support.sends import start_send
from tests.support.welcome import turn_on_welcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    return make_issue(publication, approved=True)


@pytest.fixture
def send(approved: Issue) -> Send:
    return start_send(issue=approved, now=timezone.now())


def overview(issue: Issue, client: Client) -> str:
    return client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()


def step(issue: Issue, name: str, client: Client, **fields: str) -> list[str]:
    people = {"people": str(count_recipients(issue))} if name == "start" else {}
    return list_messages(client.post(f"/admin/issues/{issue.pk}/send/{name}/", {**people, **fields}, follow=True))


def make_uncertain(send: Send, *, state: str = "needs_attention") -> Batch:
    Batch.objects.filter(send=send).update(state="uncertain", reason="the worker was lost", settled_at=timezone.now())
    Send.objects.filter(pk=send.pk).update(state=state, reason="for 3 people we do not know")
    return send.batches.get()


def test_sending_now_asks_first_with_the_number_of_recipients(approved: Issue, settings) -> None:  # type: ignore[no-untyped-def]
    client = sign_in("approver")
    assert f"/admin/issues/{approved.pk}/send/start/sure/" in overview(approved, client)
    settings.NEWSLETTER_PROVIDER_URL, settings.NEWSLETTER_PRODUCTION = "postmark://a-key@", True
    question = client.get(f"/admin/issues/{approved.pk}/send/start/sure/").content.decode()
    assert "Send The weekly letter No. 1 to 3 people now?" in question
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    question = client.get(f"/admin/issues/{approved.pk}/send/start/sure/").content.decode()
    assert "Write The weekly letter No. 1 to files now?" in question
    assert "Write to files</button>" in question
    assert not Send.objects.exists()
    assert "is being prepared and will be sent in a moment" in step(approved, "start", client)[0]
    assert "We are locking the recipient list" in overview(approved, client)
    prepare_requested_sends(now=timezone.now())
    assert (Send.objects.get().state, Send.objects.get().recipients) == ("submitting", 3)
    page = overview(approved, client)
    assert "0 of 3 people" in page
    assert "Send it now" not in page


def test_an_issue_for_nobody_is_not_offered_for_sending(approved: Issue) -> None:
    Subscription.objects.all().delete()
    question = sign_in("approver").get(f"/admin/issues/{approved.pk}/send/start/sure/").content.decode()
    assert "The weekly letter No. 1 cannot be sent now" in question
    assert "the list “The weekly letter” is empty. Nothing was sent." in question
    assert "to files now?" not in question
    assert f'action="/admin/issues/{approved.pk}/send/start/"' not in question


@pytest.mark.parametrize("role", ["writer", "editor"])
def test_starting_a_send_needs_the_permission(approved: Issue, role: str) -> None:
    client = sign_in(role)
    assert "Send it now" not in overview(approved, client)
    assert client.get(f"/admin/issues/{approved.pk}/send/start/sure/").status_code == 302
    assert "may not start sends" in step(approved, "start", client)[-1]
    assert not Send.objects.exists()


def test_a_held_issue_is_not_sent_by_hand_either(approved: Issue) -> None:
    Issue.objects.update(held=True, held_reason="The date is wrong.")
    client = sign_in("approver")
    assert "Send it now" not in overview(approved, client)
    assert "is held: The date is wrong. Release it first." in step(approved, "start", client)[0]


def test_no_send_starts_while_the_installation_is_held(approved: Issue) -> None:
    client = sign_in("approver")
    hold_installation(reason="it looks restored", now=NOW)
    assert "Everything is held: it looks restored." in step(approved, "start", client)[0]
    assert not Send.objects.exists()


def test_a_send_is_paused_with_a_reason_and_resumed(send: Send) -> None:
    client = sign_in("approver")
    assert "is paused" in step(send.issue, "pause", client, reason="a wrong date")[0]
    page = overview(send.issue, client)
    assert "Paused by approver@example.org: a wrong date." in page
    assert "send/pause/" not in page
    assert "has resumed" in step(send.issue, "go-on", client)[0]
    send.refresh_from_db()
    assert (send.state, send.reason) == ("submitting", "")


def test_cancelling_asks_first_and_is_final(send: Send) -> None:
    client = sign_in("approver")
    question = client.get(f"/admin/issues/{send.issue_id}/send/cancel/sure/").content.decode()
    assert "Will not be sent to 3 people." in question
    assert "You can correct the issue afterwards and send it to them." in question
    assert "is stopped permanently" in step(send.issue, "cancel", client)[0]
    send.refresh_from_db()
    assert send.state == "cancelled"
    page = overview(send.issue, client)
    assert "Cancelled" in page
    assert "send/cancel/sure/" not in page
    assert "has no active send" in step(send.issue, "go-on", client)[0]
    said = list_messages(client.get(f"/admin/issues/{send.issue_id}/send/cancel/sure/", follow=True))
    assert "has no active send" in said[0]


def test_a_send_that_has_ended_is_not_asked_about(send: Send) -> None:
    Send.objects.update(state="submitted")
    answer = sign_in("approver").get(f"/admin/issues/{send.issue_id}/send/cancel/sure/", follow=True)
    assert answer.redirect_chain == [(f"/admin/issues/{send.issue_id}/overview/", 302)]
    assert "This send has already ended, so it cannot be cancelled." in list_messages(answer)[-1]


def test_a_welcome_mail_is_not_asked_about(publication: Publication) -> None:
    issue = turn_on_welcome(publication, at=timezone.now())[0]
    answer = sign_in("approver").get(f"/admin/issues/{issue.pk}/send/start/sure/", follow=True)
    assert "goes to each new subscriber by itself" in list_messages(answer)[-1]


@pytest.mark.parametrize("reason", ["withdrawn", "edited", "held", "started", "second"])
def test_a_send_that_cannot_start_is_not_asked_about(approved: Issue, reason: str) -> None:
    """Somebody else may have withdrawn the approval, or sent it, while the issue's page was open."""
    client = sign_in("approver")
    match reason:
        case "withdrawn":
            client.post(f"/admin/issues/{approved.pk}/withdraw/")
            told = "is not approved."
        case "edited":
            Issue.objects.update(subject="Other words")
            told = "changed after it was approved"
        case "held":
            Issue.objects.update(held=True, held_reason="the date is wrong")
            told = "is held: the date is wrong."
        case "second":
            Publication.objects.update(second_approval_above=2)
            Issue.objects.update(state="in_review")
            told = "1 of 2 people have approved it."
        case _:
            step(approved, "start", client)
            told = "has begun already. Nobody gets it twice."
    answer = client.get(f"/admin/issues/{approved.pk}/send/start/sure/", follow=True)
    assert answer.redirect_chain == [(f"/admin/issues/{approved.pk}/overview/", 302)]
    assert told in list_messages(answer)[-1]


def test_a_settled_batch_is_not_offered_to_be_sent_again(send: Send) -> None:
    batch, client = make_uncertain(send), sign_in("approver")
    client.post(f"/admin/issues/{send.issue_id}/batches/{batch.pk}/took/")
    answer = client.get(f"/admin/issues/{send.issue_id}/batches/{batch.pk}/again/sure/", follow=True)
    assert "Only an uncertain batch can be settled by hand." in list_messages(answer)[-1]
    assert "twice" not in answer.content.decode()


def test_a_batch_of_a_cancelled_send_is_not_offered_to_be_sent_again(send: Send) -> None:
    batch, client = make_uncertain(send, state="cancelled"), sign_in("approver")
    answer = client.get(f"/admin/issues/{send.issue_id}/batches/{batch.pk}/again/sure/", follow=True)
    assert "was cancelled, so nothing of it is sent again." in list_messages(answer)[-1]


def test_staff_still_decide_about_the_uncertain_people_of_a_cancelled_send(send: Send) -> None:
    batch, client = make_uncertain(send, state="cancelled"), sign_in("approver")
    page, address = overview(send.issue, client), f"/admin/issues/{send.issue_id}/batches/{batch.pk}"
    offered = {step: f"{address}/{step}/" in page for step in ("took/sure", "leave", "again/sure")}
    assert offered == {"took/sure": True, "leave": True, "again/sure": False}
    client.post(f"{address}/took/")
    batch.refresh_from_db()
    assert batch.state == "accepted"


def test_marking_a_batch_as_accepted_asks_first(send: Send) -> None:
    batch, client = make_uncertain(send), sign_in("approver")
    address = f"/admin/issues/{send.issue_id}/batches/{batch.pk}/took/"
    page = client.get(f"{address}sure/").content.decode()
    assert "If the provider did not accept these mails, 3 people will miss" in page
    assert f'action="{address}"' in page
    client.post(address)
    answer = client.get(f"{address}sure/", follow=True)
    assert "Only an uncertain batch can be settled by hand." in list_messages(answer)[-1]


def test_the_question_before_a_stop_tells_sent_and_uncertain_people_apart(send: Send) -> None:
    make_uncertain(send)
    page = sign_in("approver").get(f"/admin/issues/{send.issue_id}/send/cancel/sure/").content.decode()
    assert "3 people may have it: the provider gave no clear answer." in page
    assert "Already sent to" not in page


@pytest.mark.parametrize(("state", "is_sent"), [("accepted", True), ("rejected", False), ("written_off", False)])
def test_the_question_before_a_stop_counts_accepted_people_only(send: Send, state: str, is_sent: bool) -> None:
    make_uncertain(send)
    Batch.objects.update(state=state)
    page = sign_in("approver").get(f"/admin/issues/{send.issue_id}/send/cancel/sure/").content.decode()
    assert ("Already sent to 3 people." in page) == is_sent


def test_a_step_that_does_not_fit_the_state_is_refused(send: Send) -> None:
    assert "Only a paused send can be resumed" in step(send.issue, "go-on", sign_in("approver"))[0]


def test_a_writer_sees_a_send_but_cannot_control_it(send: Send) -> None:
    client = sign_in("writer")
    page = overview(send.issue, client)
    assert "0 of 3 people" in page
    assert "send/pause/" not in page
    assert "may not pause, resume or settle sends" in step(send.issue, "pause", client)[0]
    send.refresh_from_db()
    assert send.state == "submitting"


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("took", "accepted", "counts as accepted by the provider: 3 people"),
        ("leave", "written_off", "stays uncertain (3 people). Some people may not have got the issue"),
        ("again", "pending", "will be sent again to 3 people"),
    ],
)
def test_an_uncertain_batch_is_settled_by_staff(send: Send, name: str, state: str, words: str) -> None:
    batch = make_uncertain(send)
    client = sign_in("approver")
    page = overview(send.issue, client)
    assert "3 uncertain recipients" in page
    assert "The worker was lost." in page
    response = client.post(f"/admin/issues/{send.issue_id}/batches/{batch.pk}/{name}/", follow=True)
    assert words in list_messages(response)[0]
    batch.refresh_from_db()
    assert batch.state == state
    assert "Nobody knows yet" not in overview(send.issue, client)


def test_a_sent_issue_is_shown_as_it_was_sent(send: Send) -> None:
    send.batches.update(state="accepted")
    Story.objects.update(title="Another headline")
    client = sign_in("writer")
    mail = client.get(f"/admin/issues/{send.issue_id}/mail/mail.0.none/").content.decode()
    assert "The clinic opens its doors" in mail
    assert "Another headline" not in mail
    page = overview(send.issue, client)
    assert "1 version was written to files" in page
    assert "Audience and versions" not in page


def test_a_proof_during_the_send_does_not_change_the_count(send: Send) -> None:
    client = sign_in("approver")
    me = User.objects.get(username="approver@example.org")
    client.post(f"/admin/issues/{send.issue_id}/proof/", {"readers": "0.none", "to": me.pk})
    assert send.issue.proofs.count() == 1
    assert list(send.revision.groups.values_list("people", flat=True)) == [3]


def test_sending_again_asks_first_and_names_the_risk(send: Send) -> None:
    batch = make_uncertain(send)
    client = sign_in("approver")
    address = f"/admin/issues/{send.issue_id}/batches/{batch.pk}/again/sure/"
    assert address in overview(send.issue, client)
    assert "3 people will get The weekly letter No. 1 twice" in client.get(address).content.decode()
    batch.refresh_from_db()
    assert batch.state == "uncertain"


def test_a_batch_is_settled_once_and_only_from_its_own_issue(send: Send) -> None:
    batch = make_uncertain(send)
    client = sign_in("approver")
    assert client.post(f"/admin/issues/{send.issue_id + 1}/batches/{batch.pk}/took/").status_code == 404
    address = f"/admin/issues/{send.issue_id}/batches/{batch.pk}/took/"
    client.post(address)
    assert "Only an uncertain batch" in list_messages(client.post(address, follow=True))[-1]


def test_a_writer_cannot_settle_a_batch(send: Send) -> None:
    batch = make_uncertain(send)
    client = sign_in("writer")
    assert "Mark as accepted" not in overview(send.issue, client)
    response = client.post(f"/admin/issues/{send.issue_id}/batches/{batch.pk}/again/", follow=True)
    assert "may not pause, resume or settle sends" in list_messages(response)[0]
    batch.refresh_from_db()
    assert batch.state == "uncertain"


def test_a_link_never_changes_a_send(send: Send) -> None:
    client = sign_in("approver")
    for name in ("start", "pause", "go-on", "cancel"):
        assert client.get(f"/admin/issues/{send.issue_id}/send/{name}/").status_code == 405
    for name in ("took", "leave", "again"):
        assert client.get(f"/admin/issues/{send.issue_id}/batches/1/{name}/").status_code == 405


def test_every_step_is_in_the_history(send: Send) -> None:
    client = sign_in("approver")
    step(send.issue, "pause", client)
    batch = make_uncertain(send)
    client.post(f"/admin/issues/{send.issue_id}/batches/{batch.pk}/leave/")
    page = client.get(f"/admin/issues/history/{send.issue_id}/").content.decode()
    assert "Send paused" in page
    assert "Left uncertain" in page


def test_a_second_click_on_send_now_says_that_the_send_began(send: Send) -> None:
    """Somebody goes back in the browser, and sends again."""
    Send.objects.update(state="submitted")
    client = sign_in("approver")
    answer = client.post(f"/admin/issues/{send.issue_id}/send/start/", {"people": "20"}, follow=True)
    said = unescape(answer.content.decode())
    assert f"The send of {send.issue} began before, so this changed nothing. Nobody gets it twice." in said
    assert "will be sent in a moment" not in said
    assert Send.objects.count() == 1


def test_the_page_shows_the_rate_and_the_time_left(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 30)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    batch = send.batches.get()
    Batch.objects.filter(pk=batch.pk).update(size=10, state="accepted", settled_at=NOW)
    Batch.objects.create(send=send, seq=99, variant=batch.variant, part=9, size=20, key="rest")
    with time_machine.travel(NOW + timedelta(seconds=10), tick=False):
        client = sign_in("approver")
        told = client.get(f"/admin/issues/{send.issue_id}/send/progress/").json()
    assert (told["done"], told["total"], told["count"]) == (10, 30, "10 of 30 people")
    assert told["note"] == "10 people in the last minute; about 1 minute left."
    assert told["moving"] is True


def test_people_of_a_cancelled_send_are_not_shown_as_unsubscribed(send: Send) -> None:
    """The receipt counts them as skipped, and the page said of all of these that they had left or were suppressed."""
    people = send.recipients
    gone = Delivery.objects.filter(batch__send=send).first()
    DeliveryException.objects.create(delivery=gone, state="skipped", reason="left", at=NOW)
    Send.objects.update(state="cancelled")
    page = overview(send.issue, sign_in("approver"))
    left, unsent = (
        "unsubscribed or suppressed after the recipient list was locked, or changed to an address that has the issue",
        "not sent: the send was cancelled first",
    )
    found = re.findall(rf"<td>(\d+)</td><th scope=\"row\">({unsent}|{left})", page)
    assert found == [("1", left), (str(people - 1), unsent)]
    reasons = {row[4] for row in list_deliveries(Send.objects.get())}
    assert reasons == {"left", "the send was cancelled before it reached them"}


def test_an_overdue_issue_is_shown_as_sent_soon(publication: Publication) -> None:
    Publication.objects.update(approval="auto")
    make_story("The clinic opens its doors")
    issue = make_issue(Publication.objects.get())
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        client = sign_in("approver", email="late@example.org")
        page = overview(issue, client)
    assert "Its time has passed, so it will be sent within minutes unless you put it on hold" in page


@pytest.mark.parametrize(
    ("seconds", "left"), [(5, "about 2 minutes left"), (20, "about 7 minutes left"), (50, "about 17")]
)
def test_the_time_left_of_a_new_send_counts_from_its_start(publication: Publication, seconds: int, left: str) -> None:
    """It was reckoned as if the few people of the first seconds were all of a minute: hours for a send of minutes."""
    make_story("The clinic opens its doors")
    add_subscribers(publication, 10)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    batch = send.batches.get()
    Send.objects.filter(pk=send.pk).update(started_at=NOW, recipients=210)
    Batch.objects.filter(pk=batch.pk).update(size=10, state="accepted", settled_at=NOW + timedelta(seconds=2))
    Batch.objects.create(send=send, seq=99, variant=batch.variant, part=9, size=200, key="rest")
    with time_machine.travel(NOW + timedelta(seconds=seconds), tick=False):
        told = sign_in("approver").get(f"/admin/issues/{send.issue_id}/send/progress/").json()
    assert left in told["note"]


def test_a_running_send_shows_only_one_count(send: Send) -> None:
    client = sign_in("approver")
    assert "still to send" not in overview(send.issue, client)
    Send.objects.update(state="paused")
    assert "still to send" in overview(send.issue, client)


def test_a_buttons_accessible_name_is_its_text(send: Send) -> None:
    Batch.objects.update(state="uncertain", reason="no answer")
    Send.objects.update(state="needs_attention")
    page = overview(send.issue, sign_in("approver"))
    assert 'aria-label="Mark as accepted: batch 1"' in page
    assert 'aria-label="Leave uncertain: batch 1"' in page


@pytest.mark.parametrize(
    ("changes", "batch_changes", "words"),
    [
        ({"started_at": NOW - timedelta(minutes=2)}, {}, "Nothing was sent in the last minute."),
        ({"started_at": NOW - timedelta(seconds=20)}, {}, "Sending has just begun."),
        (
            {"started_at": NOW - timedelta(hours=8), "checked_until": NOW},
            {"due_at": NOW - timedelta(seconds=5)},
            "Sending has just begun.",
        ),
        ({"not_before": NOW + timedelta(hours=8)}, {}, "Quiet hours: sending resumes Wed 4 Mar, "),
        ({}, {"not_before": NOW + timedelta(hours=8)}, "the provider or a daily limit requires a wait"),
        (
            {},
            {"not_before": NOW + timedelta(hours=8), "reason": "the worker stalled before the call"},
            ". The last attempt did not succeed: The worker stalled before the call.",
        ),
        ({"state": "paused"}, {}, ""),
    ],
)
def test_a_waiting_send_shows_what_it_waits_for(
    send: Send, changes: dict[str, object], batch_changes: dict[str, object], words: str
) -> None:
    Send.objects.filter(pk=send.pk).update(**changes)
    if batch_changes:
        Batch.objects.filter(send=send).update(**batch_changes)
    with time_machine.travel(NOW, tick=False):
        told = sign_in("approver").get(f"/admin/issues/{send.issue_id}/send/progress/").json()
    assert words in told["note"]
    assert bool(told["note"]) is bool(words)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(hours=8), "Sending resumes"),
        (timedelta(seconds=30), "in the last minute; about"),
    ],
)
def test_a_limit_that_is_reached_a_moment_ago_gives_no_minutes_left(send: Send, wait: timedelta, words: str) -> None:
    """Half of the people were sent to in the last minute, and the daily limit keeps the others for tomorrow."""
    done = send.batches.get()
    rest = send.batches.get()
    rest.pk, rest.seq, rest.part, rest.key = None, done.seq + 1, done.part + 1, f"rest-{done.pk}"
    rest.not_before = NOW + wait
    rest.save()
    Batch.objects.filter(pk=done.pk).update(state="accepted", settled_at=NOW - timedelta(seconds=20))
    with time_machine.travel(NOW, tick=False):
        told = sign_in("approver").get(f"/admin/issues/{send.issue_id}/send/progress/").json()
    assert words in told["note"]


def test_an_issue_without_a_send_has_no_numbers(approved: Issue) -> None:
    told = sign_in("writer").get(f"/admin/issues/{approved.pk}/send/progress/").json()
    assert told == {"version": "none", "moving": False}


def test_the_script_watches_only_a_running_send(send: Send) -> None:
    client = sign_in("approver")
    assert "subscribers/progress.js" in overview(send.issue, client)
    Send.objects.update(state="paused")
    assert not re.search("subscribers/progress.js|http-equiv", overview(send.issue, client))


def test_an_automatic_pause_shows_its_reason(send: Send) -> None:
    AutomaticPause.objects.create(send=send, rule="complaints", cases=4, at=NOW)
    Send.objects.update(state="paused", reason="Stopped by itself: 4 of 1,000 readers reported this issue as spam")
    page = overview(send.issue, sign_in("approver"))
    assert "Stopped by itself: 4 of 1,000 readers reported this issue as spam." in page
    assert "too many complaints (4)" in page


def test_a_paused_send_says_how_many_have_their_version(send: Send) -> None:
    client = sign_in("approver")
    Send.objects.update(provider="smtp")
    ada, *_ = Delivery.objects.order_by("pk")
    sent = split_off(batch=send.batches.get(), deliveries=[ada.pk], not_before=None)
    Batch.objects.filter(pk=sent.pk).update(state="accepted", settled_at=timezone.now())
    step(send.issue, "pause", client)
    page = compact_html(overview(send.issue, client))
    assert "1 version, sent to 1 of 3 recipients" in page
    assert "version was sent" not in page
