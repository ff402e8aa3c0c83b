"""``outbox://``: the provider of a fresh machine. It writes what would have been sent to files that staff can open.

Writing a batch twice writes the same files; nothing leaves the machine.
"""

import hashlib
import html
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson

from newsletter.common.messages import Message
from newsletter.providers.base.attempt import prepare
from newsletter.providers.base.contract import BatchCall, Capabilities, Outcome, Person, Verdict
from newsletter.providers.base.mime import build_message
from newsletter.providers.base.tokens import fill_tokens
from newsletter.providers.mailgun.adapter import message_id
from newsletter.providers.outbox.index import replace_file, write_index

SAMPLES = 3
_MANY_BATCHES = 40
_BATCHES = "batches"


class Outbox:
    """The adapter. ``folder`` gets one folder an issue, and in it one a variant."""

    def __init__(
        self,
        *,
        folder: Path,
        max_batch: int = 1000,
        people_per_second: float | None = None,
        calls_per_second: float | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._capabilities = Capabilities(
            name="outbox",
            merge="substitute",
            max_batch=max_batch,
            max_bytes=50_000_000,
            idempotency="body",
            idempotency_seconds=365 * 24 * 3600,
            reconcile="replay",
            people_per_second=people_per_second,
            calls_per_second=calls_per_second,
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def deliver(self, call: BatchCall) -> Outcome:
        """Write the batch. Raises BadMail or BadBatch, with nothing written, where the call itself is at fault."""
        prepared = prepare(call, capabilities=self._capabilities)
        good, refused = prepared.people, prepared.refused
        people = {delivery: (Verdict.REJECTED, why) for delivery, why in refused.items()}
        if not good:
            return Outcome(
                Verdict.REJECTED, Message("Nobody in this batch has an address that can be sent to."), people=people
            )
        try:
            self._write(call, good)
        except OSError as error:
            why = Message(
                Message(
                    "The outbox could not be written (%(strerror)s). Check the folder %(folder)s and the free space "
                    "on its disk."
                ),
                strerror=error.strerror or Message("unknown reason"),
                folder=self._folder,
            )
            return Outcome(Verdict.NOT_SENT, why, stop=True, people=people)
        return Outcome(
            Verdict.ACCEPTED,
            Message("Written to the outbox."),
            provider_id=f"outbox-{safe_name(call.key)}",
            people=people,
        )

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, call: BatchCall, good: list[tuple[str, Person]]) -> None:
        issue = issue_folder(outbox=self._folder, issue=call.issue)
        batches, variant = issue / _BATCHES, issue / safe_name(call.variant)
        batches.mkdir(parents=True, exist_ok=True)
        variant.mkdir(exist_ok=True)
        lines = [orjson.dumps(_line(call, address, person)) for address, person in good]
        replace_file(batches / f"{safe_name(call.key)}.jsonl", b"\n".join(lines) + b"\n")
        there = {path.stem for path in variant.glob("*.eml")}
        for address, person in good[:SAMPLES]:
            name = f"{person.delivery:03d}"
            if name in there or len(there) < SAMPLES:
                there.add(name)
                self._write_sample(call, Person(person.delivery, address, person.variables), variant / name)
        summary = {
            "variant": call.label or call.variant,
            "folder": variant.name,
            "people": len(good),
            "subject": fill_tokens(call.mail.subject, good[0][1].variables),
            "sender": f"{call.mail.from_name} <{call.mail.from_email}>",
        }
        replace_file(batches / f"{safe_name(call.key)}.json", orjson.dumps(summary))
        # A big send refreshes the page at its end (the caller does), so that it does not pay for it with every batch.
        if sum(1 for _ in os.scandir(batches)) <= 2 * _MANY_BATCHES or not (issue / "index.html").exists():
            write_index(issue)

    def _write_sample(self, call: BatchCall, person: Person, stem: Path) -> None:
        domain = call.mail.from_email.rpartition("@")[2]
        message = build_message(
            mail=call.mail,
            person=person,
            message_id=message_id(f"{call.key}-{person.delivery}", domain=domain),
            date=self._clock(),
        )
        replace_file(stem.with_suffix(".html"), fill_tokens(call.mail.html, person.variables).encode("utf-8"))
        replace_file(stem.with_suffix(".txt"), fill_tokens(call.mail.text, person.variables).encode("utf-8"))
        replace_file(stem.with_suffix(".eml"), message.as_bytes())


def issue_folder(*, outbox: Path, issue: str) -> Path:
    """Give the folder of an issue in the outbox, whose ``index.html`` staff open. ``issue`` is ``BatchCall.issue``."""
    return outbox / safe_name(issue)


def safe_name(text: str) -> str:
    """Give a file name for any text: plain ones stay, ``weekly/12`` becomes ``weekly-12``, others get a mark."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:60]
    as_it_is = plain == text or re.fullmatch(r"[A-Za-z0-9_-]{1,48}/[0-9]{1,9}", text)
    if as_it_is and plain not in ("", _BATCHES):
        return plain
    return f"{plain or 'x'}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _line(call: BatchCall, address: str, person: Person) -> dict[str, object]:
    variables = person.variables
    unsubscribe = variables.get("t_unsubscribe") or html.unescape(variables.get("u_unsubscribe", ""))
    return {"delivery": person.delivery, "address": address, "variant": call.variant, "unsubscribe": unsubscribe}
