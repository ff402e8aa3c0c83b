"""One recipient whose mail cannot be made costs nobody else the issue; too many pause the send."""

from typing import Any

import pytest

from newsletter.models import Batch, DeliveryException, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.build_call import CityAndRegion, LocationNames
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due, run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import list_deliveries, make_receipt
from newsletter.sending.settling.send_controls import resume_send
from newsletter.sending.settling.sweep import sweep
from subscribers.models import Subscriber
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_place,
    make_publication,
    make_story,
)
from tests.support.sends import Clock

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "the mail could not be made for this person"
GREETING = "".join(f'{{{{ name | default:"friend {n}" }}}} ' for n in range(14))


class NoHouston(LocationNames):
    """Location names that cannot be read for people in Houston."""

    def __missing__(self, place_and_language: tuple[int | None, str]) -> CityAndRegion:
        if place_and_language[0] == make_place(HOUSTON).pk:
            raise LookupError("no such place")
        return super().__missing__(place_and_language)


def begin(*, london: int = 0, houston: int = 0, intro: str = 'Dear reader in {{ city | default:"your town" }}') -> Send:
    publication = make_publication(intro=intro)
    make_story("The first verdict")
    add_subscribers(publication, london, where=LONDON)
    add_subscribers(publication, houston, where=HOUSTON, start=london)
    return start_send(issue=make_issue(publication, approved=True), now=NOW)


def dispatch(send: Send, *, places: LocationNames | None = None) -> dict[str, int]:
    dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: NOW)
    if places is not None:
        dispatcher._variants.places = places
    dispatch_due(dispatcher=dispatcher)
    sweep(adapter=current_adapter(), clock=lambda: NOW)
    send.refresh_from_db()
    return make_receipt(send).deliveries


@pytest.fixture
def mailgun(fake_provider: Any, settings: Any) -> Any:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=100"
    return fake_provider


@pytest.fixture
def sendgrid(fake_provider: Any, settings: Any) -> Any:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("sendgrid") + "&max_batch=16"
    return fake_provider


@pytest.mark.requirement("F16")
def test_only_the_person_whose_mail_cannot_be_rendered_is_rejected(mailgun: Any) -> None:
    send = begin(london=30, houston=1)
    assert dispatch(send, places=NoHouston()) == {
        "pending": 0,
        "accepted": 30,
        "rejected": 1,
        "skipped": 0,
        "uncertain": 0,
    }
    assert send.state == Send.State.SUBMITTED
    assert "person30@example.com" not in mailgun.accepted_counts()
    assert set(mailgun.accepted_counts().values()) == {1}
    exception = DeliveryException.objects.get()
    assert (exception.state, exception.reason) == ("rejected", f"{REASON}: LookupError")
    assert [row[4] for row in list_deliveries(send) if row[3] == "rejected"] == [f"{REASON}: LookupError"]
    assert all(
        "your town" not in mail.text and "__pv_" not in mail.html for mail in mailgun.mailbox("person0@example.com")
    )


@pytest.mark.requirement("F16")
def test_ten_render_failures_in_a_row_pause_the_send(mailgun: Any) -> None:
    """Nobody is rejected before: so many are more likely our own fault. Whoever mends it lets it go on, and all get it."""
    send = begin(london=120, houston=10)
    assert dispatch(send, places=NoHouston())["rejected"] == 0
    assert send.state == Send.State.PAUSED
    assert "could not be made for 10 people in a row" in send.reason
    resume_send(send=send, by=make_approver())
    assert dispatch(send)["accepted"] == 130
    assert send.state == Send.State.SUBMITTED


@pytest.mark.requirement("F16")
def test_resuming_after_ten_failures_leaves_those_ten_out(mailgun: Any) -> None:
    send = begin(london=120, houston=10)
    dispatch(send, places=NoHouston())
    resume_send(send=send, by=make_approver())
    told = dispatch(send, places=NoHouston())
    assert (told["accepted"], told["rejected"]) == (120, 10)
    assert send.state == Send.State.SUBMITTED


@pytest.mark.requirement("F16")
def test_more_than_one_failure_in_a_thousand_pauses_the_send(mailgun: Any) -> None:
    send = begin(london=200, houston=3)
    assert dispatch(send, places=NoHouston())["rejected"] == 3
    assert send.state == Send.State.PAUSED
    assert "for 3 of 203 people" in send.reason
    resume_send(send=send, by=make_approver())
    dispatch(send)
    assert send.state == Send.State.SUBMITTED


@pytest.mark.requirement("F16")
def test_a_batch_whose_mails_all_fail_makes_no_call(mailgun: Any) -> None:
    send = begin(houston=2)
    assert dispatch(send, places=NoHouston())["rejected"] == 2
    assert mailgun.ledger == []
    assert send.state == Send.State.SUBMITTED


@pytest.mark.requirement("F16")
def test_values_too_big_for_the_provider_are_found_by_halving(sendgrid: Any) -> None:
    """A name of 200 signs, each written with five letters in HTML, in every place where the greeting has one."""
    publication = make_publication(intro=GREETING)
    make_story("The first verdict")
    add_subscribers(publication, 40)
    Subscriber.objects.filter(email="person17@example.com").update(name="&" * 200)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    clock = Clock()
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert send.state == Send.State.SUBMITTED
    assert make_receipt(send).deliveries["rejected"] == 1
    assert sorted(sendgrid.accepted_counts()) == sorted(f"person{n}@example.com" for n in range(40) if n != 17)
    assert set(sendgrid.accepted_counts().values()) == {1}
    assert sum(Batch.objects.values_list("size", flat=True)) == 40


@pytest.mark.requirement("F16")
def test_an_error_of_the_whole_mail_rejects_nobody(sendgrid: Any) -> None:
    publication = make_publication(intro=GREETING)
    make_story("The first verdict")
    add_subscribers(publication, 400)
    Subscriber.objects.update(name="&" * 200)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    clock = Clock()
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert send.state == Send.State.PAUSED
    assert "in 10 calls in a row" in send.reason
    assert make_receipt(send).deliveries["rejected"] < 10
    assert sendgrid.ledger == []
