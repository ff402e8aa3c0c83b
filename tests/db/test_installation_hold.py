"""A machine that remembers more than the database knows holds everything until staff have looked."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.common.errors import NotReady
from newsletter.models import Attempt, Batch, DeliveryException, Installation, Send
from newsletter.organisation.health.sending import check_hold
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.installation_hold import check_installation, read_send_journal, release_installation
from newsletter.sending.settling.sweep import prepare_for_work
from tests.support.fixtures import NOW
from tests.support.sends import make_ready_issue, start_ready_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True), pytest.mark.requirement("R2")]
LATER = NOW + timedelta(hours=1)
OnMachine = Callable[[str], None]


@pytest.fixture
def on_machine(settings: Any, tmp_path: Path) -> OnMachine:
    """Go to the machine of this name: the same database, a data folder of its own."""

    def go(name: str) -> None:
        settings.NEWSLETTER_DATA_DIR = tmp_path / name

    go("first")
    return go


def begun() -> Send:
    return start_ready_send(recipients=25)


def claim_one() -> Any:
    return claim_batch(
        batch_id=Batch.objects.filter(state="pending").order_by("seq")[0].pk, provider="mailgun", now=NOW
    )


def go_back_to_the_backup() -> None:
    """As the database was before the first call."""
    Attempt.objects.all().delete()
    DeliveryException.objects.all().delete()
    Batch.objects.update(state="pending", attempt_number=0, lease_until=None)


def test_a_backup_from_mid_send_is_recognised_by_missing_attempts(on_machine: OnMachine) -> None:
    begun()
    assert claim_one() is not None
    prepare_for_work(now=NOW)
    go_back_to_the_backup()
    prepare_for_work(now=LATER)
    assert Installation.objects.get().held
    assert claim_one() is None


def test_a_machine_notes_what_another_one_started(on_machine: OnMachine) -> None:
    send = begun()
    on_machine("second")
    prepare_for_work(now=NOW)
    assert read_send_journal() is not None
    Send.objects.filter(pk=send.pk).update(issue=ready_other(send))
    prepare_for_work(now=LATER)
    assert Installation.objects.get().held
    with pytest.raises(NotReady, match="restored from a backup"):
        start_send(issue=send.issue, now=LATER)


def ready_other(send: Send) -> Any:
    """The database knows another issue under the number of the send, as it does when a backup went on by itself."""
    issue = send.issue
    issue.pk, issue.number, issue.public_id, issue.slot = None, 100, "another", None
    issue._state.adding = True
    issue.save()
    return issue


def test_a_released_hold_does_not_return_on_another_machine(on_machine: OnMachine) -> None:
    begun()
    assert claim_one() is not None
    for name in ("second", "first"):
        on_machine(name)
        prepare_for_work(now=NOW)
    go_back_to_the_backup()
    prepare_for_work(now=LATER)
    release_installation(now=LATER)
    for name in ("second", "third", "first"):
        on_machine(name)
        prepare_for_work(now=LATER + timedelta(minutes=1))
        assert not Installation.objects.get().held
    assert claim_one() is not None


@pytest.mark.requirement("F10")
def test_a_send_that_cannot_be_noted_does_not_begin(on_machine: OnMachine, settings: Any, tmp_path: Path) -> None:
    """The data folder is full, or not ours to write to."""
    issue = make_ready_issue(recipients=25)
    (tmp_path / "file").write_text("not a folder")
    settings.NEWSLETTER_DATA_DIR = tmp_path / "file"
    with pytest.raises(NotReady, match=f"of {issue.reference} cannot be noted in the data folder"):
        start_send(issue=issue, now=NOW)
    assert claim_one() is None
    on_machine("first")
    assert start_send(issue=issue, now=NOW).state == Send.State.SUBMITTING


def test_a_worker_with_a_full_data_folder_continues(
    on_machine: OnMachine, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begun()
    (tmp_path / "file").write_text("not a folder")
    settings.NEWSLETTER_DATA_DIR = tmp_path / "file"
    prepare_for_work(now=NOW)
    assert "The send journal in the data folder cannot be written" in caplog.text
    assert claim_one() is not None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"send": 1}', b'{"send": "x", "issue": 1, "attempt": 1}'])
def test_an_unreadable_journal_counts_as_none(on_machine: OnMachine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "last-send.json").write_bytes(content)
    assert read_send_journal() is None


def test_doctor_says_what_ends_a_hold_because_of_another_address_key(on_machine: OnMachine, settings: Any) -> None:
    own = settings.SUBSCRIBERS_ADDRESS_KEY
    check_installation(now=NOW)
    settings.SUBSCRIBERS_ADDRESS_KEY = "the key of another installation"
    check_installation(now=NOW)
    assert "set its NEWSLETTER_ADDRESS_KEY and restart. Then run: " in str(check_hold().do)
    with pytest.raises(NotReady, match="restart, and run `newsletter doctor --after-restore --release`"):
        release_installation(now=NOW)
    settings.SUBSCRIBERS_ADDRESS_KEY = own
    check_installation(now=LATER)
    assert "NEWSLETTER_ADDRESS_KEY" not in str(check_hold().do)
    release_installation(now=LATER)
    assert check_hold().level == "ok"
