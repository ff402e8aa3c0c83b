"""What an HTTP answer means, where all providers agree: refused, slow down, or nobody knows. Words are for staff."""

import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Outcome, ProviderResponse, Verdict

MAX_WAIT_SECONDS = 24 * 3600.0
_LATER_THAN_ANY_WAIT = 10**9
_SECONDS_IN_TEXT = re.compile(r"(?:try again|retry) (?:after|in) (\d{1,6}) ?s(?:ec|\b)", re.IGNORECASE)
_DATE_IN_TEXT = re.compile(
    r"(?:try again|retry) after ([A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} [\d:]{8} (?:[+-]\d{4}|[A-Z]{2,4}))"
)
_ADDRESS = re.compile(r"[^\s\"'<>(),;:]+@[^\s\"'<>(),;:]+")


def read_refusal(
    answer: ProviderResponse, *, provider: str, said: str, now: datetime, bisect: bool = False
) -> Outcome | None:
    """Give the outcome of any answer that is not 2xx, or None for 2xx, which only the provider's own adapter can judge.

    ``said`` is the provider's own message, already made safe by ``quote``. ``bisect`` says whether a refusal of the
    batch may be about one of its people.
    """
    status = answer.status
    detail = Message(' It said: "%(said)s"', said=said) if said else ""
    if 200 <= status < 300:
        return None
    if status in (429, 420) or (status == 503 and "retry-after" in answer.headers):
        wait = read_retry_after(answer, now=now)
        return Outcome(
            Verdict.THROTTLED,
            Message(
                "%(provider)s asked us to slow down; this batch will be tried again.%(detail)s",
                provider=provider,
                detail=detail,
            ),
            retry_after=wait,
        )
    if status in (401, 403):
        why = Message(
            "%(provider)s did not accept our key (answer %(status)s). Check the key and that the account is active.",
            provider=provider,
            status=status,
        )
        return Outcome(Verdict.REJECTED, why + detail, stop=True)
    if status == 402:
        return Outcome(
            Verdict.REJECTED,
            Message(
                "%(provider)s wants the account paid before it sends (answer 402).%(detail)s",
                provider=provider,
                detail=detail,
            ),
            stop=True,
        )
    if status in (400, 413, 422):
        return Outcome(
            Verdict.REJECTED,
            Message(
                "%(provider)s refused this batch (answer %(status)s); nobody in it was mailed.%(detail)s",
                provider=provider,
                status=status,
                detail=detail,
            ),
            bisect=bisect,
        )
    if status in (408, 499) or status >= 500:
        why = Message(
            "%(provider)s had a fault of its own (answer %(status)s). It may or may not have taken this batch.",
            provider=provider,
            status=status,
        )
        return Outcome(Verdict.UNCERTAIN, why + detail)
    if 400 <= status < 500:
        why = Message(
            "%(provider)s does not know what we called (answer %(status)s). Check its domain and endpoint "
            "in our settings.",
            provider=provider,
            status=status,
        )
        return Outcome(Verdict.REJECTED, why + detail, stop=True)
    why = Message(
        "Something answered %(status)s in %(provider)s's place: no receipt. Check the endpoint and the network.",
        status=status,
        provider=provider,
    )
    return Outcome(Verdict.UNCERTAIN, why)


def read_retry_after(answer: ProviderResponse, *, now: datetime) -> float | None:
    """Give the seconds that the provider asks us to wait: Retry-After, else its rate headers, else words in the body."""
    header = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", header):
        return min(float(header), MAX_WAIT_SECONDS)
    when = _until(header, now=now) if header else None
    if when is not None:
        return when
    if (reset := _reset_seconds(answer, now=now)) is not None:
        return reset
    body = answer.body[:4096].decode("utf-8", "replace")
    if found := _SECONDS_IN_TEXT.search(body):
        return min(float(found.group(1)), MAX_WAIT_SECONDS)
    if found := _DATE_IN_TEXT.search(body):
        return _until(found.group(1), now=now)
    return None


def _reset_seconds(answer: ProviderResponse, *, now: datetime) -> float | None:
    for name in ("ratelimit-reset", "x-sib-ratelimit-reset", "x-ratelimit-reset"):
        text = answer.headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,11}", text):
            # SendGrid gives a moment in seconds since 1970, the others how long to wait.
            seconds = float(text) - now.timestamp() if int(text) > _LATER_THAN_ANY_WAIT else float(text)
            return min(max(seconds, 0.0), MAX_WAIT_SECONDS)
    return None


def quote(text: str, *, secrets: tuple[str, ...] = (), max_length: int = 200) -> str:
    """Make a provider's words safe to show and to log: one short line, no address of a reader, no key of ours."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "(key)")
    text = _ADDRESS.sub(Message("(an address)"), " ".join("".join(c if c.isprintable() else " " for c in text).split()))
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def read_json(body: bytes) -> object:
    """Give what a JSON body holds, or None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _until(text: str, *, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    return min(max((moment - now).total_seconds(), 0.0), MAX_WAIT_SECONDS)
