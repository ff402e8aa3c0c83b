"""The honest report of an issue, and of a publication's issues in a row: people and clicks, counted. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Sum

from newsletter.models import Issue, LinkClicks, Publication, Send
from newsletter.sending.settling.receipt import Receipt, make_receipt


@dataclass(frozen=True)
class Figures:
    """What became of one issue, in people. ``has_delivery_reports``: whether anything was reported as delivered at all."""

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
        return self.receipt.delivered > 0

    def share(self, people: int) -> float | None:
        """Of those whose mail was taken, in per cent; None where none was."""
        return 100 * people / self.accepted if self.accepted else None


@dataclass(frozen=True)
class LinkFigures:
    """How often one link was followed, by people and by what looks like machines. ``words``: what the mail says there."""

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


def find_sends(publication: Publication, *, most: int) -> list[Send]:
    """The newest sends of a publication that handed anything over, the newest first."""
    sends = Send.objects.filter(issue__publication=publication, recipients__gt=0, started_at__isnull=False)
    newest = sends.exclude(state__in=[Send.State.PREPARING, Send.State.READY]).order_by("-started_at", "-pk")
    return list(newest.select_related("issue__publication__mailing_list", "issue__slot")[:most])


def measure_sends(sends: Iterable[Send]) -> list[Figures]:
    """The figures of each, in the same order. Raises Broken where a receipt does not add up."""
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
    """Everything about one issue, beside the issue of its publication that went out before it."""
    (figures,) = measure_sends([send])
    earlier = [other for other in find_sends(send.issue.publication, most=50) if _is_before(other, send)]
    before = measure_sends(earlier[:1])
    return Report(
        figures=figures,
        before=before[0] if before else None,
        links=find_links(send.issue),
        variants=find_variants(send),
    )


def find_links(issue: Issue) -> list[LinkFigures]:
    """The links that were followed, the most followed first."""
    rows = LinkClicks.objects.filter(issue=issue).values_list("url").annotate(Sum("people"), Sum("machines"))
    links = [LinkFigures(url, people, machines) for url, people, machines in rows]
    return sorted(links, key=lambda link: (-link.people, -link.machines, link.url))


def find_variants(send: Send) -> list[VariantFigures]:
    """How many people each distinct mail went to, the largest first."""
    rows = send.batches.order_by().values_list("variant__label").annotate(people=Sum("size"))
    return [VariantFigures(label, people) for label, people in sorted(rows, key=lambda row: -row[1])]


def _is_before(other: Send, send: Send) -> bool:
    return (
        other.issue_id != send.issue_id
        and other.started_at is not None
        and send.started_at is not None
        and other.started_at < send.started_at
    )
