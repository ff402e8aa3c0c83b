"""Read one record of a report: which server sent how many mails, and how the receiver judged them."""

from collections.abc import Mapping
from typing import TypeVar
from xml.etree.ElementTree import Element

from newsletter.content.parsing.aggregate_reports.report import AggregateRow, ReportProblem
from newsletter.content.parsing.aggregate_reports.unpack import CannotRead
from newsletter.content.parsing.aggregate_reports.values import (
    find_domain,
    find_text,
    is_below,
    read_address,
    read_domain,
    read_number,
    read_word,
    require,
)

Value = TypeVar("Value")
MAX_MAILS = 1_000_000_000
MAX_SIGNATURES = 100
_DISPOSITIONS = {"none": "none", "pass": "none", "quarantine": "quarantine", "reject": "reject"}
"""RFC 9990 writes “pass” for mail that passed and was delivered."""
_REASONS = frozenset(
    {"forwarded", "local_policy", "mailing_list", "policy_test_mode", "sampled_out", "trusted_forwarder"}
)
_RESULTS = {"pass": True, "fail": False}


def read_row(record: Element, *, domain: str) -> tuple[AggregateRow, int]:
    """Return a record as a row without its number, and the number of mails. ``domain``: the one that the report is about."""
    row = require(record, "row")
    judged = require(row, "policy_evaluated")
    header_from = read_domain(require(require(record, "identifiers"), "header_from"))
    results = record.find("auth_results")
    signatures = results.findall("dkim")[:MAX_SIGNATURES] if results is not None else []
    paths = results.findall("spf")[:MAX_SIGNATURES] if results is not None else []
    from_domain = domain or header_from
    return AggregateRow(
        source=read_address(require(row, "source_ip")),
        header_from=header_from,
        disposition=_choose(_DISPOSITIONS, require(judged, "disposition")),
        dkim_aligned=_choose(_RESULTS, require(judged, "dkim")),
        spf_aligned=_choose(_RESULTS, require(judged, "spf")),
        signed_by=_find_passing(signatures, own=from_domain),
        return_path=_find_passing(paths, own=from_domain),
        broken_signature=any(
            is_below(find_domain(signature.find("domain")), from_domain)
            and find_text(signature.find("result")).lower() not in ("pass", "none")
            for signature in signatures
        ),
        reason=_find_reason(judged),
        mails=0,
    ), read_number(require(row, "count"), limit=MAX_MAILS)


def _choose(values: Mapping[str, Value], element: Element) -> Value:
    word = read_word(element)
    if word not in values:
        raise CannotRead(ReportProblem.BAD_VALUE)
    return values[word]


def _find_passing(results: list[Element], *, own: str) -> str:
    """Return the domain of a result that passed, one of the domain's own if there is one."""
    passing = [
        domain
        for result in results
        if find_text(result.find("result")).lower() == "pass" and (domain := find_domain(result.find("domain")))
    ]
    return next((domain for domain in passing if is_below(domain, own)), passing[0] if passing else "")


def _find_reason(judged: Element) -> str:
    """Return the first reason why the receiver did not apply the policy."""
    reason = find_text(judged.find("reason/type")).lower()
    return reason if reason in _REASONS else "other" if reason else ""
