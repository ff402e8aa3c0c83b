"""Requests to Google: guarded like every fetch, limited in time and size, answered in JSON, their errors read by code."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.content.fetching.credentials import Credential
from newsletter.content.fetching.errors import BadStatus, FetchError
from newsletter.content.fetching.fetcher import Fetcher, Limits
from newsletter.content.fetching.form_poster import PostAnswer, post_form, post_json
from newsletter.google_postmaster.figures import FigureFailure, FiguresUnavailable

LIMITS = Limits(max_bytes=2 * 1024 * 1024, connect=5.0, first_byte=15.0, total=20.0)
_REASONS = {
    "SERVICE_DISABLED": FigureFailure.API_OFF,
    "CONSUMER_INVALID": FigureFailure.API_OFF,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": FigureFailure.SCOPE_MISSING,
    "RATE_LIMIT_EXCEEDED": FigureFailure.QUOTA,
    "RESOURCE_QUOTA_EXCEEDED": FigureFailure.QUOTA,
}
"""Google's reasons (google.api.ErrorReason) that say more than the status."""
_STATUSES = {
    401: FigureFailure.KEY_REFUSED,
    403: FigureFailure.NOT_VERIFIED,
    404: FigureFailure.NOT_VERIFIED,
    429: FigureFailure.QUOTA,
}


@dataclass(frozen=True)
class GoogleCalls:
    """Calls with one access token. ``allow`` names hosts that may be on a private network."""

    token: str
    allow: Sequence[str]

    def get(self, url: str) -> dict[str, object]:
        """Return the JSON object at the address. Raises FiguresUnavailable."""
        credential = Credential(headers={"Authorization": f"Bearer {self.token}"})
        try:
            fetched = Fetcher(allow=self.allow).fetch(
                url, limits=LIMITS, accept="application/json", credential=credential
            )
        except BadStatus as error:
            raise make_refusal(error.status, error.body, url=url) from error
        except FetchError as error:
            raise _unreached(error, url=url) from error
        return read_object(fetched.body, url=url)

    def post(self, url: str, document: Mapping[str, object]) -> dict[str, object]:
        """Post JSON and return the JSON object of the answer. Raises FiguresUnavailable."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        try:
            answer = post_json(url, document, headers=headers, allow=self.allow, limits=LIMITS)
        except FetchError as error:
            raise _unreached(error, url=url) from error
        if answer.status != 200:
            raise make_refusal(answer.status, answer.body, url=url)
        return read_object(answer.body, url=url)


def post_fields(url: str, fields: Mapping[str, str], *, allow: Sequence[str]) -> PostAnswer:
    """Post a form and return the answer, whatever its status. Raises FiguresUnavailable."""
    try:
        return post_form(url, fields, headers={"Accept": "application/json"}, allow=allow, limits=LIMITS)
    except FetchError as error:
        raise _unreached(error, url=url) from error


def read_object(body: bytes, *, url: str) -> dict[str, object]:
    """Return the JSON object. Raises FiguresUnavailable for anything else."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise make_unreadable(url, "no JSON") from error
    if not isinstance(parsed, dict):
        raise make_unreadable(url, "no JSON object")
    return parsed


def make_unreadable(url: str, what: str) -> FiguresUnavailable:
    """Return the error for an answer that is not what Google documents."""
    return FiguresUnavailable(
        FigureFailure.UNREADABLE, "The answer of %(url)s cannot be read: %(what)s.", url=url, what=what
    )


def make_refusal(status: int, body: bytes, *, url: str) -> FiguresUnavailable:
    """Return the error for a status that is not 200. Google's reason decides, else the status."""
    failure = _find_reason(body)
    if failure is None:
        is_theirs = status >= 500
        failure = _STATUSES.get(status, FigureFailure.SERVER_ERROR if is_theirs else FigureFailure.UNREADABLE)
    return FiguresUnavailable(failure, "%(url)s answered with status %(status)s.", url=url, status=status)


def is_clock_wrong(answer: PostAnswer, *, now: datetime) -> bool:
    """Return True if Google's clock and ours differ by more than five minutes, so that our signed requests are refused."""
    return answer.date is not None and abs((answer.date - now).total_seconds()) > 300


def _find_reason(body: bytes) -> FigureFailure | None:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    error = parsed.get("error") if isinstance(parsed, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        reason = detail.get("reason") if isinstance(detail, dict) else None
        if isinstance(reason, str) and reason in _REASONS:
            return _REASONS[reason]
    return None


def _unreached(error: FetchError, *, url: str) -> FiguresUnavailable:
    return FiguresUnavailable(FigureFailure.NO_ANSWER, "%(url)s: %(error)s", url=url, error=error)
