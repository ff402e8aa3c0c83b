"""newsletter send: send an approved issue at its slot, or now in this process."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from newsletter.common.commands.base import ProductCommand
from newsletter.common.errors import NotReady
from newsletter.common.messages import end_sentence
from newsletter.issues.approval.approval_rules import is_sent_automatically
from newsletter.issues.approval.approve import approve_by_policy, require_approval
from newsletter.issues.approval.hold import release_issue
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.issues.assembly.lookup import find_issue
from newsletter.issues.assembly.stories_at_source import check_stories_at_source
from newsletter.issues.variants.reader_zones import find_local_time
from newsletter.jobs.shutdown import note_stop_signal
from newsletter.management.progress_bar import show_send_progress
from newsletter.models import CanaryMailbox, Issue, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.issue_status import status_of

NEEDS_ATTENTION = 3
_STOPPED_BY_SIGNAL = 128  # and the number of the signal, as in a shell
_STOPPING = "Stopping after the current call. Press Ctrl-C again to stop at once: its people may then be uncertain."
_RUNNING = (Send.State.PREPARING, Send.State.READY, Send.State.SUBMITTING)


class Command(ProductCommand):
    help = "Send an approved issue: at its slot, or with --now at once and in this process. Exit status 3: it needs attention."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", metavar="ISSUE", help="The issue: an id, SLUG/NUMBER or SLUG/latest.")
        parser.add_argument(
            "--now",
            action="store_true",
            help="Send now to everybody at once, and work in this process until it ends.",
        )
        parser.add_argument("--release", action="store_true", help="Release the issue first if it is on hold.")
        parser.add_argument("--json", action="store_true")

    def run(self, *, reference: str, now: bool, release: bool, json: bool) -> None:
        issue = find_issue(reference)
        if issue.held and not release:
            raise NotReady(
                f"{issue} is on hold: {end_sentence(issue.held_reason or 'no reason given')} To send it anyway, add --release."
            )
        require_issue_enabled(issue)
        if not now:
            self._hand_over(issue, as_json=json)
            return
        if issue.state in Issue.UNAPPROVED_STATES and is_sent_automatically(issue) and not issue.held:
            check_stories_at_source(issue=issue, now=datetime.now(UTC))
            approve_by_policy(issue=issue, now=datetime.now(UTC))
        require_approval(issue)
        if issue.held:
            release_issue(issue=issue)
        send = start_send(issue=issue, now=datetime.now(UTC), at_once=True)
        with note_stop_signal(_STOPPING) as stopped, show_send_progress(send, quiet=json) as progress:
            send = run_send(
                send=send,
                adapter=current_adapter(),
                progress=progress,
                between_batches=_read_canaries,
                stopping=lambda: bool(stopped),
            )
        issue.refresh_from_db()
        if json:
            self.write_json(status_of(issue))
        else:
            self.stdout.write(f"{issue}: {send.get_state_display()}. {send.reason}".rstrip())
        if stopped and send.state in _RUNNING:
            self.stderr.write(
                "Stopped before the end of the send. `newsletter serve`, a worker or this command sends the rest. To follow "
                f"it, run: newsletter status {issue.reference}"
            )
            raise SystemExit(_STOPPED_BY_SIGNAL + stopped[0])
        if send.state in (Send.State.NEEDS_ATTENTION, Send.State.PAUSED):
            raise SystemExit(NEEDS_ATTENTION)

    def _hand_over(self, issue: Issue, *, as_json: bool) -> None:
        if issue.state not in Issue.UNSENT_STATES:
            raise NotReady(
                f"{issue} is {issue.get_state_display()}, so it cannot be handed over. For its delivery summary, run: "
                f"newsletter status {issue.reference}"
            )
        if not is_sent_automatically(issue):
            require_approval(issue)
        if issue.due_at is None:
            raise NotReady(f"{issue} has no planned time, so it was not handed over. To send it, add --now.")
        due = f"{issue.due_at.astimezone(ZoneInfo(issue.publication.zone)):%Y-%m-%dT%H:%M}"
        if issue.due_at + Issue.GRACE_PERIOD < datetime.now(UTC):
            raise NotReady(f"The time of {issue}, {due}, is over. To send it anyway, add --now.")
        if issue.held:
            release_issue(issue=issue)
        if as_json:
            self.write_json(status_of(issue))
            return
        whose = "each reader's own zone" if find_local_time(issue) else issue.publication.zone
        if issue.due_at <= datetime.now(UTC):
            self.stdout.write(
                f"{issue} was due at {due} ({whose}). It is sent within a minute if `newsletter serve`, or a scheduler and a "
                "worker, are running."
            )
            return
        self.stdout.write(
            f"{issue} will be sent at {due} ({whose}) if `newsletter serve` or a scheduler is running then."
        )


def _read_canaries() -> None:
    """Look for the canaries that the send may wait for: no other process may be running.

    Without a mailbox for them, the libraries that read and judge mails are not loaded.
    """
    if not CanaryMailbox.objects.exists():
        return
    from newsletter.inbound.canaries.read_canaries import read_canary_mailboxes

    read_canary_mailboxes(now=datetime.now(UTC))
