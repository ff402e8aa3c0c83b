"""Google's Postmaster Tools API v2: the spam rate by day, and whether a domain meets the requirements for senders.

Sources: developers.google.com/workspace/gmail/postmaster/reference/rest/v2 (domains.domainStats.query,
domains.getComplianceStatus). Google answers only for days on which enough people got mail of the domain.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from urllib.parse import quote

from newsletter.google_postmaster.figures import Requirement, SpamRate
from newsletter.google_postmaster.google_http import GoogleCalls, make_unreadable

MAX_PAGES, PAGE_SIZE = 10, 200
_METRIC = "spam_rate"
_VERDICTS = {"oneClickUnsubscribeVerdict": "ONE_CLICK_UNSUBSCRIBE", "honorUnsubscribeVerdict": "HONOR_UNSUBSCRIBE"}
_STATES = {"COMPLIANT": True, "NEEDS_WORK": False}
MAX_NAME = 60


class GooglePostmaster:
    """Reads the figures of domains with one access token."""

    def __init__(self, calls: GoogleCalls, *, endpoint: str) -> None:
        self._calls, self._endpoint = calls, endpoint.rstrip("/")

    def read_spam_rates(self, domain: str, *, first: date, last: date) -> Sequence[SpamRate]:
        url = f"{self._url_of(domain)}/domainStats:query"
        request: dict[str, object] = {
            "metricDefinitions": [{"name": _METRIC, "baseMetric": {"standardMetric": "SPAM_RATE"}}],
            "timeQuery": {"dateRanges": {"dateRanges": [{"start": _write_day(first), "end": _write_day(last)}]}},
            "aggregationGranularity": "DAILY",
            "pageSize": PAGE_SIZE,
        }
        rates: dict[date, SpamRate] = {}
        for _ in range(MAX_PAGES):
            answer = self._calls.post(url, request)
            for rate in _read_rates(_read_list(answer, "domainStats", url=url), url=url):
                if first <= rate.day <= last:
                    rates[rate.day] = rate
            token = answer.get("nextPageToken")
            if not token:
                return [rates[day] for day in sorted(rates)]
            request = {**request, "pageToken": token}
        raise make_unreadable(url, f"more than {MAX_PAGES} pages")

    def read_requirements(self, domain: str) -> Sequence[Requirement]:
        url = f"{self._url_of(domain)}/complianceStatus"
        answer = self._calls.get(url)
        # Google fills in the second only if it has data of the subdomain itself.
        data = answer.get("subdomainComplianceData") or answer.get("complianceData") or {}
        if not isinstance(data, dict):
            raise make_unreadable(url, "no compliance data")
        requirements: dict[str, Requirement] = {}
        for row in _read_list(data, "rowData", url=url):
            if isinstance(row, dict) and isinstance(name := row.get("requirement"), str):
                _add(requirements, name, row.get("status"))
        for key, name in _VERDICTS.items():
            verdict = data.get(key)
            if name not in requirements and isinstance(verdict, dict):
                _add(requirements, name, verdict.get("status"))
        return [requirements[name] for name in sorted(requirements)]

    def _url_of(self, domain: str) -> str:
        return f"{self._endpoint}/v2/domains/{quote(domain, safe='')}"


def _add(requirements: dict[str, Requirement], name: str, status: object) -> None:
    """Add a requirement if there is a verdict. An unknown state is none: it says neither yes nor no."""
    state = status.get("status") if isinstance(status, dict) else None
    if name and len(name) <= MAX_NAME and isinstance(state, str) and state in _STATES:
        requirements[name] = Requirement(name, _STATES[state])


def _read_list(answer: dict[str, object], name: str, *, url: str) -> list[object]:
    items = answer.get(name, [])
    if not isinstance(items, list):
        raise make_unreadable(url, f"{name} is no list")
    return items


def _read_rates(rows: Sequence[object], *, url: str) -> Iterator[SpamRate]:
    for row in rows:
        if not isinstance(row, dict):
            raise make_unreadable(url, "a figure is no object")
        if row.get("metric") != _METRIC:
            continue
        rate = _read_number(row.get("value"), url=url)
        if rate is not None:
            yield SpamRate(_read_day(row.get("date"), url=url), rate)


def _read_number(value: object, *, url: str) -> float | None:
    """Return the rate, or None if Google gives none. Raises FiguresUnavailable if it is no share from 0 to 1."""
    if not isinstance(value, dict):
        return None
    number = value.get("floatValue", value.get("doubleValue"))
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise make_unreadable(url, "a spam rate is no number")
    if not 0 <= number <= 1:
        raise make_unreadable(url, "a spam rate is not from 0 to 1")
    return float(number)


def _read_day(value: object, *, url: str) -> date:
    parts = [value.get(name) for name in ("year", "month", "day")] if isinstance(value, dict) else []
    try:
        year, month, day = (part for part in parts if isinstance(part, int))
        return date(year, month, day)
    except (ValueError, OverflowError) as error:
        raise make_unreadable(url, "a figure has no date") from error


def _write_day(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}
