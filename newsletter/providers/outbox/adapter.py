"""``outbox://``, the provider of a new installation: it writes mails to files that staff can open, and sends nothing.

Writing a batch twice writes the same files.
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
from newsletter.providers.base.contract import BatchCall, Capabilities, Outcome, Recipient, Verdict
from newsletter.providers.base.mail.headers import make_message_id
from newsletter.providers.base.mail.mime import build_message
from newsletter.providers.base.mail.tokens import fill_tokens
from newsletter.providers.base.prepared_batch import NO_VALID_ADDRESS, prepare_batch
from newsletter.providers.base.provider_url import UrlRules
from newsletter.providers.outbox.index import replace_file, write_index

OUTBOX_URL = UrlRules("outbox", max_batch=1000, account="")
SAMPLES_PER_VARIANT = 3
_MAX_BATCHES_WITH_LIVE_INDEX = 40
_BATCHES = "batches"


class Outbox:
    """The adapter. ``folder`` gets a folder for each issue, with a folder for each variant."""

    def __init__(
        self,
        *,
        folder: Path,
        max_batch: int | None = None,
        people_per_second: float | None = None,
        calls_per_second: float | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._capabilities = Capabilities(
            name="outbox",
            merge="substitute",
            max_batch=max_batch or OUTBOX_URL.max_batch,
            max_bytes=50_000_000,
            idempotency_seconds=365 * 24 * 3600,
            reconcile="replay",
            people_per_second=people_per_second,
            calls_per_second=calls_per_second,
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def deliver(self, call: BatchCall) -> Outcome:
        """Write the batch. Raise BadMail or BadBatch, with nothing written, if the batch itself is wrong."""
        prepared = prepare_batch(call, capabilities=self._capabilities)
        people = prepared.rejections
        if not prepared.people:
            return Outcome(Verdict.REJECTED, NO_VALID_ADDRESS, people=people)
        try:
            self._write(call, prepared.people)
        except OSError as error:
            why = Message(
                "The outbox could not be written (%(error)s). Check the folder %(folder)s and the free space on its disk.",
                error=error.strerror or Message("unknown reason"),
                folder=str(self._folder),
            )
            return Outcome(Verdict.NOT_SENT, why, stop=True, people=people)
        return Outcome(
            Verdict.ACCEPTED,
            Message("Written to the outbox."),
            provider_id=f"outbox-{make_safe_name(call.key)}",
            people=people,
        )

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def _write(self, call: BatchCall, people: list[tuple[str, Recipient]]) -> None:
        issue = find_issue_folder(outbox=self._folder, issue=call.issue)
        batches, variant = issue / _BATCHES, issue / make_safe_name(call.variant)
        batches.mkdir(parents=True, exist_ok=True)
        variant.mkdir(exist_ok=True)
        lines = [orjson.dumps(_build_line(call, address, recipient)) for address, recipient in people]
        replace_file(batches / f"{make_safe_name(call.key)}.jsonl", b"\n".join(lines) + b"\n")
        written = {path.stem for path in variant.glob("*.eml")}
        for address, recipient in people[:SAMPLES_PER_VARIANT]:
            name = f"{recipient.delivery:03d}"
            if name in written or len(written) < SAMPLES_PER_VARIANT:
                written.add(name)
                self._write_sample(call, recipient._replace(address=address), variant / name)
        summary = {
            "variant": call.label or call.variant,
            "folder": variant.name,
            "people": len(people),
            "subject": fill_tokens(call.mail.subject, people[0][1].variables),
            "sender": f"{call.mail.from_name} <{call.mail.from_email}>",
        }
        replace_file(batches / f"{make_safe_name(call.key)}.json", orjson.dumps(summary))
        # The caller writes the page of a big send once, at its end: after every batch it would cost too much.
        if (
            sum(1 for _ in os.scandir(batches)) <= 2 * _MAX_BATCHES_WITH_LIVE_INDEX
            or not (issue / "index.html").exists()
        ):
            write_index(issue)

    def _write_sample(self, call: BatchCall, recipient: Recipient, stem: Path) -> None:
        domain = call.mail.from_email.rpartition("@")[2]
        message = build_message(
            mail=call.mail,
            recipient=recipient,
            message_id=make_message_id(f"{call.key}-{recipient.delivery}", domain=domain),
            date=self._clock(),
        )
        replace_file(stem.with_suffix(".html"), fill_tokens(call.mail.html, recipient.variables).encode("utf-8"))
        replace_file(stem.with_suffix(".txt"), fill_tokens(call.mail.text, recipient.variables).encode("utf-8"))
        replace_file(stem.with_suffix(".eml"), message.as_bytes())


def find_issue_folder(*, outbox: Path, issue: str) -> Path:
    """Return the folder of an issue in the outbox, with the ``index.html`` for staff. ``issue`` is ``BatchCall.issue``."""
    return outbox / make_safe_name(issue)


def make_safe_name(text: str) -> str:
    """Return a file name for any text: plain texts stay, ``weekly/12`` becomes ``weekly-12``, others get a digest."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:60]
    is_plain = plain == text or re.fullmatch(r"[A-Za-z0-9_-]{1,48}/[0-9]{1,9}", text)
    if is_plain and plain not in ("", _BATCHES):
        return plain
    return f"{plain or 'x'}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _build_line(call: BatchCall, address: str, recipient: Recipient) -> dict[str, object]:
    variables = recipient.variables
    unsubscribe = variables.get("t_unsubscribe") or html.unescape(variables.get("u_unsubscribe", ""))
    return {"delivery": recipient.delivery, "address": address, "variant": call.variant, "unsubscribe": unsubscribe}
