"""Read a provider's HTTP answer: refused, slow down, or unknown. All providers share these rules."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Outcome, ProviderResponse, Verdict

MAX_WAIT_SECONDS = 24 * 3600.0
_MAX_RELATIVE_RESET = 10**9
_SECONDS_IN_TEXT = re.compile(r"(?:try again|retry) (?:after|in) (\d{1,6}) ?s(?:ec|\b)", re.IGNORECASE)
_DATE_IN_TEXT = re.compile(
    r"(?:try again|retry) after ([A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} [\d:]{8} (?:[+-]\d{4}|[A-Z]{2,4}))"
)
_ADDRESS = re.compile(r"[^\s\"'<>(),;:]+@[^\s\"'<>(),;:]+")
_ABOUT_RECIPIENTS = re.compile(
    r"recipient|personalizations|messageversions|destination|rcpt|"
    r"[\"'`]to[\"'`]|\bto (?:parameter|field|address)|\bto\[|\bto\.\d|"
    r"(?:email|address)(?:es)? (?:\S+ ){0,4}(?:not valid|invalid)|(?:invalid|not a valid|illegal) (?:email )?address",
    re.IGNORECASE,
)
_ABOUT_SENDER = re.compile(
    r"\b(?:from|sender|reply[-_ ]?to)\b[\"'`]? (?:parameter|field|(?:email )?address)", re.IGNORECASE
)
_ABOUT_MAIL = re.compile(
    r"\b(?:from|sender|reply[-_ ]?to|subject|html|htmlcontent|text|textcontent|content|template|headers?|tags?|"
    r"attachment|domain|account|plan|credits?|unverified|verified|verify|identity|configuration set)\b|16KB",
    re.IGNORECASE,
)


def read_refusal(
    answer: ProviderResponse, *, provider: str, provider_message: str, now: datetime, bisect: bool = False
) -> Outcome | None:
    """Return the outcome of an answer that is not 2xx. Return None for 2xx, which only the adapter can read.

    ``provider_message`` is made safe by ``mask_provider_text``. ``bisect`` is copied to the outcome of a refused batch.
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    outcome = _classify_status(status, provider=provider, throttles="retry-after" in answer.headers)
    if outcome.verdict is Verdict.THROTTLED:
        outcome = replace(outcome, retry_after=read_retry_after(answer, now=now))
    if status in (400, 413, 422):
        outcome = replace(outcome, bisect=bisect)
    if status < 400:
        return outcome
    return replace(outcome, reason=quote_provider(outcome.reason, provider_message))


def _classify_status(status: int, *, provider: str, throttles: bool) -> Outcome:
    if status in (429, 420) or (status == 503 and throttles):
        return Outcome(
            Verdict.THROTTLED,
            Message("%(provider)s asked us to slow down; this will be tried again.", provider=provider),
        )
    if status in (401, 403):
        why = Message(
            "%(provider)s did not accept our key (answer %(status)s). Check the key and that the account is active.",
            provider=provider,
            status=status,
        )
        return Outcome(Verdict.REJECTED, why, stop=True)
    if status == 402:
        why = Message("%(provider)s wants the account paid before it sends (answer 402).", provider=provider)
        return Outcome(Verdict.REJECTED, why, stop=True)
    if status in (400, 413, 422):
        why = Message(
            "%(provider)s refused this batch (answer %(status)s); nobody in it was mailed.",
            provider=provider,
            status=status,
        )
        return Outcome(Verdict.REJECTED, why)
    if status in (408, 499) or status >= 500:
        why = Message(
            "%(provider)s had an internal error (answer %(status)s). It may or may not have accepted this batch.",
            provider=provider,
            status=status,
        )
        return Outcome(Verdict.UNCERTAIN, why)
    if status == HTTPStatus.MISDIRECTED_REQUEST:
        # The server did not act on it, and may on another connection (RFC 9110, 15.5.20).
        why = Message(
            "%(provider)s did not take this batch from the connection that we used (answer 421); it is sent again on a new one.",
            provider=provider,
        )
        return Outcome(Verdict.NOT_SENT, why)
    if 400 <= status < 500:
        why = Message(
            "%(provider)s does not know the address that we called (answer %(status)s). Check the provider’s domain "
            "and endpoint in the settings.",
            provider=provider,
            status=status,
        )
        return Outcome(Verdict.REJECTED, why, stop=True)
    why = Message(
        "The answer was %(status)s, which %(provider)s never gives. Check the endpoint and the network.",
        status=status,
        provider=provider,
    )
    return Outcome(Verdict.UNCERTAIN, why, stop=True)


def is_web_page(answer: ProviderResponse) -> bool:
    """Return True if the answer is for a browser. No interface gives one: it comes from a proxy, a portal or a wrong address."""
    begins = answer.body[:200].lstrip().lower()
    return answer.headers.get("content-type", "").lower().startswith("text/html") or begins.startswith(
        (b"<!doctype html", b"<html")
    )


def can_bisect(answer: ProviderResponse, *, text: str, people: int) -> bool:
    """Return True if a provider that refused this batch may accept a smaller part of it.

    ``text`` is the provider's message with the names of fields. A text about neither recipients nor the mail counts as
    True: one bad address must not keep the others from their mail.
    """
    if people < 2:
        return False
    if answer.status == 413:
        return True
    if _ABOUT_SENDER.search(text):
        return False
    return bool(_ABOUT_RECIPIENTS.search(text)) or not _ABOUT_MAIL.search(text)


def combine_row_verdicts(
    people: Mapping[int, tuple[Verdict, str]],
    *,
    account_errors: Collection[int],
    provider_id: str,
    retry_after: float | None = None,
) -> Outcome:
    """Return one outcome from a verdict for each delivery: the commonest for all, and those that differ by name.

    If anyone was accepted, or may have been, that verdict is everybody's, because such a batch is never sent again.
    ``account_errors`` are deliveries refused because of our account: they were not sent, and stop the send unless
    somebody was accepted.
    """
    verdicts = {verdict for verdict, _ in people.values()}
    final = next((verdict for verdict in (Verdict.ACCEPTED, Verdict.UNCERTAIN) if verdict in verdicts), None)
    if final:
        people = {d: (Verdict.NOT_SENT, result[1]) if d in account_errors else result for d, result in people.items()}
    counted = Counter(verdict for verdict in people.values() if final in (None, verdict[0]))
    (verdict, reason), _ = counted.most_common(1)[0]
    differing = {delivery: result for delivery, result in people.items() if result != (verdict, reason)}
    return Outcome(verdict, reason, provider_id, retry_after, bool(account_errors) and not final, differing)


def read_retry_after(answer: ProviderResponse, *, now: datetime) -> float | None:
    """Return the seconds that the provider asks us to wait, from Retry-After, its rate headers, or the body's text."""
    header = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", header):
        return min(float(header), MAX_WAIT_SECONDS)
    if header and (wait := _seconds_until(header, now=now)) is not None:
        return wait
    if (reset := _reset_seconds(answer, now=now)) is not None:
        return reset
    body = answer.body[:4096].decode("utf-8", "replace")
    if match := _SECONDS_IN_TEXT.search(body):
        return min(float(match.group(1)), MAX_WAIT_SECONDS)
    if match := _DATE_IN_TEXT.search(body):
        return _seconds_until(match.group(1), now=now)
    return None


def mask_provider_text(text: str, *, secrets: tuple[str, ...] = (), max_length: int = 200) -> str:
    """Return a provider's text safe to show and log: one short line without recipients' addresses or our keys."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "(key)")
    text = _ADDRESS.sub(Message("(an address)"), " ".join("".join(c if c.isprintable() else " " for c in text).split()))
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def quote_provider(why: str, provider_message: str) -> str:
    """Return our reason, followed by the provider's own message in quotes if there is one."""
    if not provider_message:
        return why
    return Message('%(why)s It said: "%(provider_message)s"', why=why, provider_message=provider_message)


def _reset_seconds(answer: ProviderResponse, *, now: datetime) -> float | None:
    for name in ("ratelimit-reset", "x-sib-ratelimit-reset", "x-ratelimit-reset"):
        text = answer.headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,11}", text):
            # SendGrid gives a time in seconds since 1970; the others give how long to wait.
            seconds = float(text) - now.timestamp() if int(text) > _MAX_RELATIVE_RESET else float(text)
            return min(max(seconds, 0.0), MAX_WAIT_SECONDS)
    return None


def _seconds_until(text: str, *, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    return min(max((moment - now).total_seconds(), 0.0), MAX_WAIT_SECONDS)
