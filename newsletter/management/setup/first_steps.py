"""The third part of `newsletter setup`: the first administrator, the first reading of the sources, the first proof."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from newsletter.common.errors import DomainError
from newsletter.common.staff_pages import explain_undone, is_file_error
from newsletter.content.ingesting.source_trial import read_source_now
from newsletter.desk.setup.first_proof import find_last_proof, find_proof_account, send_first_proof
from newsletter.management.setup.prompt import Prompt
from newsletter.management.setup.questions import ADMINISTRATOR
from newsletter.models import Proof, Source
from newsletter.organisation.accounts.administrators import list_administrators
from newsletter.organisation.accounts.first_administrator import add_first_administrator, is_without_staff
from newsletter.providers.registry import OUTBOX
from newsletter.sending.adapters import outbox_folder
from newsletter.sending.limits.recipient_allowlist import BLOCKED_REASON, is_sending_blocked


def find_or_add_administrator(prompt: Prompt) -> User | None:
    """Return the first administrator, whose account is made if nobody has one."""
    if is_without_staff():
        person = add_first_administrator(email=prompt.ask(ADMINISTRATOR))
        prompt.say(f"Account: {person.email}, administrator.")
        return person
    email = (prompt.given.get("administrator") or prompt.kept.find("administrator") or "").strip().lower()
    administrators = list(list_administrators().order_by("pk"))
    if email and email not in {person.username for person in administrators}:
        prompt.say(
            f"Account: none was made for {email}, because somebody has an account already and this is not an administrator's"
            f" address. To add one: newsletter staff add {email} --role admin"
        )
    matching = [person for person in administrators if person.username == email]
    return next(iter([*matching, *administrators]), None)


def read_sources(*, now: datetime) -> Iterator[str]:
    """Read each source that was never read, and yield a line about each."""
    for source in Source.objects.filter(enabled=True, looked_at__isnull=True):
        report = read_source_now(source=source, now=now)
        found = report.error or f"{report.new} new, {len(report.set_aside)} set aside."
        yield f"Read {source.name}: {found}"


def send_proof(prompt: Prompt, *, person: User) -> str:
    """Send the first proof to the person, and return what became of it."""
    last = find_last_proof()
    if last is not None:
        at = f"{last.at:%d %B %Y, %H:%M} UTC"
        if last.provider == OUTBOX:
            prompt.say(f"A proof for {last.person.email} was written to a file on {at}, not mailed.")
        else:
            prompt.say(f"A proof was sent to {last.person.email} on {at}.")
        if not prompt.confirm("Send another one?", default=False):
            return "Proof: no other one was sent."
    if is_sending_blocked(find_proof_account()):
        return (
            f"Proof: not sent. {BLOCKED_REASON}. Set NEWSLETTER_ONLY_TO={person.email} in .env to mail yourself alone, and run"
            " `newsletter setup` again."
        )
    started = datetime.now(UTC)
    try:
        proof = send_first_proof(by=person)
    except DomainError as error:
        return f"Proof: not sent. {error} Run `newsletter setup` again later, or use “Set up” in the desk."
    except OSError as error:
        if not is_file_error(error):
            raise
        return f"Proof: not sent. {explain_undone(error)} Then run `newsletter setup` again."
    if proof.state == Proof.State.UNCERTAIN:
        return f"Proof: perhaps sent to {person.email}. {proof.reason} If it does not arrive, run `newsletter setup` again."
    if proof.state != Proof.State.ACCEPTED:
        return f"Proof: not sent to {person.email}. {proof.reason} Correct it, and run `newsletter setup` again."
    if proof.provider == OUTBOX:
        return f"Proof: no mail provider is set, so it was written to a file: {_find_mail(started)}"
    return f"Proof: sent to {person.email}. Look into your mailbox."


def _find_mail(started: datetime) -> Path:
    """Return the file of the newest mail in the outbox."""
    written = [file for file in outbox_folder().rglob("*.eml") if file.stat().st_mtime >= int(started.timestamp())]
    return max(written, key=lambda file: file.stat().st_mtime, default=Path(settings.NEWSLETTER_DATA_DIR) / "outbox")
