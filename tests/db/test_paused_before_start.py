"""A send that is paused between the freezing of its audience and its start is started when staff resume it."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission

from newsletter.common.errors import NotReady, SwitchedOff, WrongState
from newsletter.issues.protected_terms.terms import remove_terms
from newsletter.models import Issue, PostmasterFigure, PostmasterReading, ProtectedTerm, Publication, Send, Story
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.limits.installation_hold import read_send_journal
from newsletter.sending.limits.send_window import enforce_send_window
from newsletter.sending.settling.send_controls import (
    cancel_send,
    resume_send,
)
from newsletter.sending.settling.sweep import sweep
from newsletter.sending.withdraw_story import (
    reinstate_story,
    withdraw_story,
)
from tests.support.accounts import make_issue_with_second
from tests.support.fixtures import NOW, make_approver
from tests.support.protected_terms import keeper, protect
from tests.support.sends import Clock, start_send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
SOON = NOW + timedelta(minutes=1)
PEOPLE = 5


@pytest.fixture
def ready(two_accounts, settings, tmp_path) -> Send:
    """A send through ``backup`` whose process stopped before it started it."""
    send = start_send(issue=make_issue_with_second(PEOPLE, account="backup", second_account=""), now=NOW)
    Send.objects.update(state=Send.State.READY, started_at=None)
    Issue.objects.update(state=Issue.State.APPROVED)
    settings.NEWSLETTER_DATA_DIR = str(tmp_path / "data")
    return Send.objects.get(pk=send.pk)


def lose_account(settings) -> Callable[[], None]:
    urls = settings.NEWSLETTER_FURTHER_PROVIDER_URLS
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    return lambda: setattr(settings, "NEWSLETTER_FURTHER_PROVIDER_URLS", urls)


def switch_off(settings) -> Callable[[], None]:
    Publication.objects.update(enabled=False)
    return lambda: Publication.objects.update(enabled=True) and None


def add_term(settings) -> Callable[[], None]:
    protect("verdict")
    return lambda: remove_terms(ids=list(ProtectedTerm.objects.values_list("pk", flat=True)), by=keeper()) and None


@pytest.mark.parametrize("stop", [lose_account, switch_off, add_term])
def test_a_resumed_send_starts_as_if_it_had_not_paused(ready, settings, stop):
    undo = stop(settings)
    enforce_send_window(now=NOW)
    ready.refresh_from_db()
    assert (ready.state, ready.started_at) == (Send.State.PAUSED, None)
    undo()
    resume_send(send=ready, by=make_approver(), now=SOON)
    ready.refresh_from_db()
    assert (ready.state, ready.started_at) == (Send.State.SUBMITTING, SOON)
    assert Issue.objects.get().state == Issue.State.SENDING
    journal = read_send_journal()
    assert journal is not None
    assert journal.send == ready.pk
    clock = Clock()
    clock.now = SOON
    assert run_send(send=ready, adapter=current_adapter(), clock=clock, sleep=clock.nap).state == Send.State.SUBMITTED
    assert Issue.objects.get().state == Issue.State.SENT


def test_a_send_that_shows_a_withdrawn_story_needs_a_new_approval(ready):
    make_approver().user_permissions.add(Permission.objects.get(codename="change_story"))
    person, story = make_approver(), Story.objects.get()
    withdraw_story(story=story, by=person, reason="She asked us to.", now=NOW)
    ready.refresh_from_db()
    assert ready.state == Send.State.PAUSED
    reinstate_story(story=story, by=person)
    with pytest.raises(WrongState, match="no longer approved"):
        resume_send(send=ready, by=person, now=SOON)
    ready.refresh_from_db()
    assert (ready.state, ready.started_at) == (Send.State.PAUSED, None)
    cancel_send(send=ready, by=person, now=SOON)
    assert ready.state == Send.State.CANCELLED


def test_its_start_is_stopped_by_the_spam_rate_at_gmail(ready, settings):
    undo = lose_account(settings)
    enforce_send_window(now=NOW)
    undo()
    signing = "other.example.org"
    PostmasterReading.objects.create(
        sender="news.example.org", signing=signing, domain=signing, asked_at=NOW, retry_at=NOW, read_at=NOW
    )
    day: date = NOW.date() - timedelta(days=1)
    PostmasterFigure.objects.create(domain=signing, day=day, figure="spam_rate", value=0.0031, fetched_at=NOW)
    ready.refresh_from_db()
    resume_send(send=ready, by=make_approver(), now=SOON)
    ready.refresh_from_db()
    assert (ready.state, ready.code) == (Send.State.PAUSED, Send.Code.GMAIL_SPAM_RATE)


def test_a_resumed_send_whose_start_cannot_be_noted_starts_later(ready, settings, tmp_path):
    undo = lose_account(settings)
    enforce_send_window(now=NOW)
    undo()
    (tmp_path / "file").write_text("no folder")
    settings.NEWSLETTER_DATA_DIR = str(tmp_path / "file")
    ready.refresh_from_db()
    with pytest.raises(NotReady, match="cannot be noted"):
        resume_send(send=ready, by=make_approver(), now=SOON)
    settings.NEWSLETTER_DATA_DIR = str(tmp_path / "data")
    sweep(adapter=current_adapter(), clock=lambda: NOW + timedelta(minutes=3))
    ready.refresh_from_db()
    assert (ready.state, ready.started_at) == (Send.State.SUBMITTING, NOW + timedelta(minutes=3))


def test_a_paused_send_of_a_publication_switched_off_stays_paused(ready, settings):
    switch_off(settings)
    enforce_send_window(now=NOW)
    ready.refresh_from_db()
    with pytest.raises(SwitchedOff):
        resume_send(send=ready, by=make_approver(), now=SOON)
    assert Send.objects.get().state == Send.State.PAUSED
