"""Reports of an issue and of a publication's last issues: people and clicks, counted from rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Sum

from newsletter.models import Issue, LinkClicks, Publication, Send
from newsletter.sending.settling.receipt import Receipt, make_receipt


@dataclass(frozen=True)
class Figures:
    """The results of one issue, in people."""

    issue: Issue
    sent_at: datetime | None
    receipt: Receipt
    clicks: int = 0
    machines: int = 0

    @property
    def accepted(self) -> int:
        return self.receipt.deliveries.get("accepted", 0)

    @property
    def has_delivery_reports(self) -> bool:
        """Return True if the provider reported any mail as delivered."""
        return self.receipt.delivered > 0

    def share(self, people: int) -> float | None:
        """Return the share of the accepted mails in percent, or None if none was accepted."""
        return 100 * people / self.accepted if self.accepted else None


@dataclass(frozen=True)
class LinkFigures:
    """Clicks on one link, of people and of probable machines. ``words`` is its text in the mail."""

    url: str
    people: int
    machines: int
    words: str = ""


@dataclass(frozen=True)
class VariantFigures:
    label: str
    people: int


@dataclass(frozen=True)
class Report:
    figures: Figures
    before: Figures | None
    links: list[LinkFigures] = field(default_factory=list)
    variants: list[VariantFigures] = field(default_factory=list)


def find_sends(publication: Publication, *, limit: int) -> list[Send]:
    """Return up to ``limit`` sends of a publication that handed mail over, the newest first."""
    sends = Send.objects.filter(issue__publication=publication, recipients__gt=0, started_at__isnull=False)
    newest = sends.exclude(state__in=[Send.State.PREPARING, Send.State.READY]).order_by("-started_at", "-pk")
    return list(newest.select_related("issue__publication__mailing_list", "issue__slot")[:limit])


def measure_sends(sends: Iterable[Send]) -> list[Figures]:
    """Return the figures of each send, in the same order. Raise InvariantViolated if a receipt does not add up."""
    sends = list(sends)
    clicks = {
        issue: (people, machines)
        for issue, people, machines in LinkClicks.objects.filter(issue__in=[send.issue_id for send in sends])
        .values_list("issue")
        .annotate(Sum("people"), Sum("machines"))
    }
    return [
        Figures(send.issue, send.started_at, make_receipt(send), *clicks.get(send.issue_id, (0, 0))) for send in sends
    ]


def make_report(send: Send) -> Report:
    """Return the report of a send, compared with the issue of its publication before it."""
    (figures,) = measure_sends([send])
    earlier = [other for other in find_sends(send.issue.publication, limit=50) if _is_before(other, send)]
    before = measure_sends(earlier[:1])
    return Report(
        figures=figures,
        before=before[0] if before else None,
        links=find_links(send.issue),
        variants=find_variants(send),
    )


def find_links(issue: Issue) -> list[LinkFigures]:
    """Return the links with clicks, the most followed first."""
    rows = LinkClicks.objects.filter(issue=issue).values_list("url").annotate(Sum("people"), Sum("machines"))
    links = [LinkFigures(url, people, machines) for url, people, machines in rows]
    return sorted(links, key=lambda link: (-link.people, -link.machines, link.url))


def find_variants(send: Send) -> list[VariantFigures]:
    """Return the number of people of each variant, the largest first."""
    rows = send.batches.order_by().values_list("variant__label").annotate(people=Sum("size"))
    return [VariantFigures(label, people) for label, people in sorted(rows, key=lambda row: -row[1])]


def _is_before(other: Send, send: Send) -> bool:
    return (
        other.issue_id != send.issue_id
        and other.started_at is not None
        and send.started_at is not None
        and other.started_at < send.started_at
    )
