"""An error in one send or one step of the sweep keeps neither the other sends nor the other steps from being done."""

import traceback
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from newsletter.jobs.timer import run_logged
from newsletter.models import AccountMove, Batch, Send
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.batch_claim import find_due_batches
from newsletter.sending.freezing.start import prepare_send, start_send
from newsletter.sending.limits import each_send, send_window
from newsletter.sending.limits.each_send import RowsFailed
from newsletter.sending.limits.send_window import enforce_send_window
from newsletter.sending.settling import account_moves
from newsletter.sending.settling import sweep as sweep_module
from newsletter.sending.settling.sweep import resume_stalled_starts, sweep
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.protected_terms import protect

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
PERSON = "ann@example.org"


@pytest.fixture
def sends(settings: Any) -> list[Send]:
    """Two running sends. The one whose error is provoked is found first."""
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    make_story("The first verdict")
    publications = [make_publication(slug=slug) for slug in ("first", "second")]
    for number, publication in enumerate(publications):
        add_subscribers(publication, 2, start=2 * number)
    return [start_send(issue=make_issue(each, approved=True), now=NOW) for each in publications]


def states(sends: list[Send]) -> list[str]:
    return [Send.objects.get(pk=send.pk).state for send in sends]


def break_content(send: Send) -> None:
    assert send.revision is not None
    send.revision.content = send.revision.content | {"blocks": PERSON}
    type(send.revision).objects.filter(pk=send.revision.pk).update(content=send.revision.content)


def test_unreadable_content_keeps_no_other_send_from_pausing(
    sends: list[Send], caplog: pytest.LogCaptureFixture
) -> None:
    protect("first verdict")
    break_content(sends[0])
    with pytest.raises(RowsFailed):
        enforce_send_window(now=NOW)
    assert states(sends) == [Send.State.SUBMITTING, Send.State.PAUSED]
    assert f"Send {sends[0].pk} was not checked for a reason to pause: ValidationError in " in caplog.text
    assert " > content.py:" in caplog.text
    assert PERSON not in caplog.text


def test_a_send_that_could_not_be_searched_is_not_sent(sends: list[Send]) -> None:
    protect("first verdict")
    break_content(sends[0])
    with pytest.raises(RowsFailed):
        enforce_send_window(now=NOW)
    assert find_due_batches(now=NOW) == []


def test_one_send_of_a_publication_switched_off_stops_no_other(
    sends: list[Send], monkeypatch: pytest.MonkeyPatch
) -> None:
    for send in sends:
        publication = send.issue.publication
        publication.enabled = False
        publication.save()
    fail_for(monkeypatch, send_window, "transition", sends[0])
    enforce_send_window(now=NOW)
    assert states(sends) == [Send.State.SUBMITTING, Send.State.PAUSED]
    assert AutomaticPause.objects.get().send_id == sends[1].pk


def test_one_send_without_its_account_stops_no_other(sends: list[Send], monkeypatch: pytest.MonkeyPatch) -> None:
    Batch.objects.update(account="gone")
    fail_for(monkeypatch, send_window, "transition", sends[0])
    enforce_send_window(now=NOW)
    assert states(sends) == [Send.State.SUBMITTING, Send.State.PAUSED]


def test_one_stalled_start_stops_no_other(sends: list[Send], monkeypatch: pytest.MonkeyPatch) -> None:
    Send.objects.update(state=Send.State.READY)

    def prepare(*, send: Send, now: Any) -> Send:
        if send.pk == sends[0].pk:
            raise LookupError(PERSON)
        return prepare_send(send=send, now=now)

    monkeypatch.setattr(sweep_module, "prepare_send", prepare)
    with pytest.raises(RowsFailed, match=f"Send {sends[0].pk} was not started: LookupError in ") as raised:
        resume_stalled_starts(now=NOW + timedelta(hours=1))
    assert PERSON not in "".join(traceback.format_exception(raised.value))
    assert states(sends) == [Send.State.READY, Send.State.SUBMITTING]


def test_one_send_that_cannot_move_stops_no_other(sends: list[Send], monkeypatch: pytest.MonkeyPatch) -> None:
    for send in sends:
        publication = send.issue.publication
        publication.second_account = "backup"
        publication.save()
    asked: list[int] = []

    def find_move_reason(send: Send, **_more: Any) -> AccountMove.Code | None:
        asked.append(send.pk)
        if send.pk == sends[0].pk:
            raise ValueError(PERSON)
        return None

    monkeypatch.setattr(account_moves, "find_move_reason", find_move_reason)
    with pytest.raises(RowsFailed):
        account_moves.move_to_second_accounts(now=NOW)
    assert asked == [send.pk for send in sends]


STEPS = [
    "clear_far_future_times",
    "settle_expired_leases",
    "resume_stalled_starts",
    "enforce_send_window",
    "decide_due_tests",
    "open_due_hours",
    "recover_pace",
    "continue_moves",
    "move_to_second_accounts",
    "further_adapters",
    "replay_uncertain",
    "ask_provider",
    "finish_sends",
    "send_canaries",
    "decide_about_canaries",
]


@pytest.mark.parametrize(
    ("error", "raised"), [(DatabaseError("locked"), DatabaseError), (ValueError(PERSON), each_send.LoggedError)]
)
def test_every_step_runs_after_an_error_in_each_other(
    sends: list[Send],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    raised: type[Exception],
) -> None:
    called: list[str] = []

    def make_failing(name: str) -> Any:
        def fail(*_args: Any, **_values: Any) -> None:
            called.append(name)
            raise error

        return fail

    for name in STEPS:
        monkeypatch.setattr(sweep_module, name, make_failing(name))
    with pytest.raises(raised) as caught:
        sweep(adapter=current_adapter(), clock=lambda: NOW)
    assert PERSON not in "".join(traceback.format_exception(caught.value))
    assert called == STEPS
    assert PERSON not in caplog.text


def test_nothing_runs_if_it_is_unknown_whether_this_database_may_send(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"

    def fail(**_values: Any) -> None:
        raise DatabaseError("locked")

    def refuse(*_args: Any) -> None:
        raise AssertionError("a step ran")

    monkeypatch.setattr(sweep_module, "check_installation", fail)
    monkeypatch.setattr(sweep_module, "run_each", refuse)
    with pytest.raises(DatabaseError):
        sweep(adapter=current_adapter(), clock=lambda: NOW)


def test_a_send_that_cannot_be_started_fails_its_job(
    sends: list[Send], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Send.objects.update(state=Send.State.READY)

    def prepare(**_values: Any) -> Send:
        raise ValueError(PERSON)

    monkeypatch.setattr(sweep_module, "prepare_send", prepare)
    later = NOW + timedelta(hours=1)
    assert not run_logged("repair_sends", lambda: sweep(adapter=current_adapter(), clock=lambda: later))
    lines = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert {line.split(":")[0] for line in lines} == {f"Send {send.pk} was not started" for send in sends}
    assert len(lines) == len(sends)
    assert all("ValueError in each_send.py:" in line and "Fix what an alarm says" in line for line in lines)
    assert PERSON not in caplog.text


def test_the_same_error_is_logged_once_a_minute(
    sends: list[Send], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_send: Send) -> None:
        raise ValueError(PERSON)

    def fail_all() -> None:
        with pytest.raises(RowsFailed):
            each_send.act_on_each(sends, fail, failure="Send %s failed")

    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    fail_all()
    clock[0] += 59
    fail_all()
    assert len(caplog.records) == 2
    clock[0] += 1
    fail_all()
    assert len(caplog.records) == 4


def test_sends_that_ended_are_returned_beside_one_that_fails(
    sends: list[Send], monkeypatch: pytest.MonkeyPatch
) -> None:
    Batch.objects.update(state=Batch.State.ACCEPTED)
    find = sweep_module.find_attention_reason

    def find_reason(send: Send) -> str:
        if send.pk == sends[0].pk:
            raise ValueError(PERSON)
        return find(send)

    monkeypatch.setattr(sweep_module, "find_attention_reason", find_reason)
    finished: list[Send] = []
    with pytest.raises(RowsFailed):
        sweep_module.finish_sends(now=NOW, finished=finished)
    assert [send.pk for send in finished] == [sends[1].pk]
    assert states(sends) == [Send.State.SUBMITTING, Send.State.SUBMITTED]


def test_a_defect_of_another_kind_is_not_hidden(sends: list[Send]) -> None:
    def fail(_send: Send) -> None:
        raise AssertionError("a defect")

    with pytest.raises(AssertionError):
        each_send.act_on_each(sends, fail, failure="Send %s failed")


def fail_for(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, broken: Send) -> None:
    """Make a function of a module raise an error for one send."""
    original = getattr(module, name)

    def fail_once(row: Any, **values: Any) -> Any:
        if row.pk == broken.pk:
            raise DatabaseError("locked")
        return original(row, **values)

    monkeypatch.setattr(module, name, fail_once)
