"""Add up the reports about one domain: whose mail passed, and which servers sent mail that failed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import Max, Min, Q, QuerySet, Sum
from django.utils.timezone import localdate

from newsletter.models import DmarcReport, DmarcReportRow

MAX_GROUPS = 5_000
"""The groups of equal rows that are looked at, the largest first. A forged flood must not fill the memory."""
MAX_NAMES_SHOWN = 5
FORWARDED_REASONS = frozenset({"forwarded", "mailing_list", "trusted_forwarder"})
PASSED = Q(dkim_aligned=True) | Q(spf_aligned=True)


class SourceKind(StrEnum):
    """The kinds of servers whose mail failed, as far as a report shows."""

    FORWARDED = "forwarded"
    BROKEN_SIGNATURE = "broken-signature"
    OWN = "own"
    SERVICE = "service"
    UNKNOWN = "unknown"


@dataclass
class Source:
    """Mails with something in common: the domain that vouches for them, or the server that sent them.

    ``senders`` are domains of From. ``vouching`` are domains whose DKIM or SPF passed without being aligned.
    """

    name: str
    mails: int = 0
    dkim: int = 0
    spf: int = 0
    quarantined: int = 0
    rejected: int = 0
    broken_signatures: int = 0
    servers: set[str] = field(default_factory=set)
    senders: set[str] = field(default_factory=set)
    reporters: set[str] = field(default_factory=set)
    vouching: set[str] = field(default_factory=set)
    days: tuple[date, date] | None = None

    @property
    def delivered(self) -> int:
        """Mails that the receiver neither refused nor filed as spam because of DMARC."""
        return self.mails - self.quarantined - self.rejected

    @property
    def shown_reporters(self) -> list[str]:
        return sorted(self.reporters, key=str.lower)[:MAX_NAMES_SHOWN]

    @property
    def shown_senders(self) -> list[str]:
        return sorted(self.senders)[:MAX_NAMES_SHOWN]

    @property
    def more_reporters(self) -> int:
        return len(self.reporters) - len(self.shown_reporters)

    def add(self, group: "RowGroup") -> None:
        self.mails += group.mails
        self.dkim += group.mails if group.dkim_aligned else 0
        self.spf += group.mails if group.spf_aligned else 0
        self.quarantined += group.mails if group.disposition == "quarantine" else 0
        self.rejected += group.mails if group.disposition == "reject" else 0
        self.broken_signatures += group.mails if group.broken_signature else 0
        self.servers.add(group.source)
        self.senders.add(group.header_from)
        self.reporters.add(group.reporter)
        if not group.passed:
            self.vouching |= {group.signed_by, group.return_path} - {""}
        first, last = localdate(group.begins_at), localdate(group.ends_at)
        self.days = (min(first, self.days[0]), max(last, self.days[1])) if self.days else (first, last)


@dataclass(frozen=True)
class RowGroup:
    """Rows that differ in number and day only, added up."""

    source: str
    header_from: str
    disposition: str
    dkim_aligned: bool
    spf_aligned: bool
    signed_by: str
    return_path: str
    broken_signature: bool
    reason: str
    reporter: str
    mails: int
    begins_at: datetime
    ends_at: datetime

    @property
    def passed(self) -> bool:
        return self.dkim_aligned or self.spf_aligned


@dataclass(frozen=True)
class FailingSource:
    """A server whose mail failed, and what it seems to be. A server can be there twice: receivers call a part forwarded."""

    source: Source
    kind: SourceKind


@dataclass(frozen=True)
class Summary:
    """The mails of one domain in some days. ``passing`` is by domain, ``failing`` by server, both the largest first."""

    domain: str
    passed: int
    failed: int
    passing: list[Source]
    failing: list[FailingSource]

    def count_failed(self, *kinds: SourceKind) -> int:
        return sum(entry.source.mails for entry in self.failing if entry.kind in kinds)


def list_reported_domains(*, days: int, now: datetime) -> list[str]:
    """Return the domains about which there are reports of the last days."""
    reports = DmarcReport.objects.filter(ends_at__gt=now - timedelta(days=days))
    return sorted(set(reports.values_list("domain", flat=True)))


def summarise(domain: str, *, days: int, now: datetime) -> Summary:
    """Return what the reports about a domain say whose last moment is in these days."""
    rows = DmarcReportRow.objects.filter(report__domain=domain, report__ends_at__gt=now - timedelta(days=days))
    totals = rows.aggregate(passed=Sum("mails", filter=PASSED), mails=Sum("mails"))
    passed, mails = totals["passed"] or 0, totals["mails"] or 0
    groups = list(_group(rows))
    return Summary(
        domain=domain,
        passed=passed,
        failed=mails - passed,
        passing=_add_up((_name_passing(group), group) for group in groups if group.passed),
        failing=_list_failing(groups),
    )


def _group(rows: QuerySet[DmarcReportRow]) -> Iterable[RowGroup]:
    names = (
        "source",
        "header_from",
        "disposition",
        "dkim_aligned",
        "spf_aligned",
        "signed_by",
        "return_path",
        "broken_signature",
        "reason",
        "report__reporter",
    )
    groups = rows.values_list(*names).annotate(
        total=Sum("mails"), first=Min("report__begins_at"), last=Max("report__ends_at")
    )
    return (RowGroup(*row) for row in groups.order_by("-total")[:MAX_GROUPS])


def _name_passing(group: RowGroup) -> str:
    """Return the domain that vouches: that of the signature, else that of the return path."""
    name = group.signed_by if group.dkim_aligned else group.return_path
    return name or group.header_from


def _add_up(groups: Iterable[tuple[str, RowGroup]]) -> list[Source]:
    sources: dict[str, Source] = {}
    for name, group in groups:
        sources.setdefault(name, Source(name)).add(group)
    return sorted(sources.values(), key=lambda source: (-source.mails, source.name))


def _list_failing(groups: list[RowGroup]) -> list[FailingSource]:
    """Sort what failed by server. Mail that the receiver calls forwarded is apart, and never hides other mail from there."""
    passing = {group.source for group in groups if group.passed}
    own_servers = {group.source for group in groups if group.spf_aligned}
    forwarded: list[tuple[str, RowGroup]] = []
    direct: list[tuple[str, RowGroup]] = []
    for group in groups:
        if not group.passed:
            is_forwarded = group.reason in FORWARDED_REASONS and group.source not in own_servers
            (forwarded if is_forwarded else direct).append((group.source, group))
    failing = [FailingSource(source, SourceKind.FORWARDED) for source in _add_up(forwarded)]
    for source in _add_up(direct):
        kind = _classify(source, passes=source.name in passing, is_own_server=source.name in own_servers)
        failing.append(FailingSource(source, kind))
    return sorted(failing, key=lambda entry: (-entry.source.mails, entry.source.name, entry.kind))


def _classify(source: Source, *, passes: bool, is_own_server: bool) -> SourceKind:
    """Return the kind of a server whose mail no receiver calls forwarded.

    A broken signature alone does not say why it is broken. From a server that our own SPF names, the failure is ours.
    """
    if source.broken_signatures * 2 >= source.mails and not is_own_server:
        return SourceKind.BROKEN_SIGNATURE
    if passes:
        return SourceKind.OWN
    return SourceKind.SERVICE if source.vouching else SourceKind.UNKNOWN
