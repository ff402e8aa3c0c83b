"""Count gifts for the issue and the block whose link led to them, as the donation system reports them. Nothing says who gave."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Sum

from newsletter.common.messages import Message
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.mail_links import FOOTER, name_blocks
from newsletter.models import Gift, Issue
from newsletter.outbound.publishing_facts import report_gift

_CAMPAIGN = re.compile(r"(?P<slug>.+)-(?P<number>\d+)")
_KINDS = (Issue.Kind.DIGEST, Issue.Kind.CORRECTION)


@dataclass(frozen=True)
class ReportedGift:
    """A gift as reported. ``campaign`` and ``block`` are the values of its link; ``line`` is its line in a file."""

    reference: str
    amount: Decimal
    currency: str
    given_on: date
    campaign: str
    block: str = ""
    line: int = 0


@dataclass
class GiftsRecorded:
    """Numbers of gifts: new, known before, and by no issue of ours. ``refused`` has lines and reasons."""

    new: int = 0
    known: int = 0
    foreign: int = 0
    refused: list[tuple[int, Message]] = field(default_factory=list)


@dataclass(frozen=True)
class GiftTotal:
    """The sum that a block, or with ``block`` "" the issue, raised in one currency. ``title`` is for people."""

    block: str
    title: str
    currency: str
    amount: Decimal
    gifts: int


def record_gifts(gifts: Iterable[ReportedGift], *, by: str, now: datetime) -> GiftsRecorded:
    """Store each gift that was made through a link of an issue, once. A gift without such a link is only counted."""
    result, issues, rows = GiftsRecorded(), dict[str, Issue | None](), dict[str, Gift]()
    for gift in gifts:
        if gift.campaign not in issues:
            issues[gift.campaign] = find_issue_of_campaign(gift.campaign)
        issue = issues[gift.campaign]
        if issue is None:
            result.foreign += 1
        elif gift.reference in rows:
            result.known += 1
        else:
            rows[gift.reference] = _make_row(gift, issue, by=by, now=now)
    stored = set(Gift.objects.filter(reference__in=rows).values_list("reference", flat=True))
    result.known += len(stored)
    new = [row for reference, row in rows.items() if reference not in stored]
    with transaction.atomic():
        Gift.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
        for row in new:
            report_gift(row, now=now)
    result.new = len(new)
    return result


def find_issue_of_campaign(campaign: str) -> Issue | None:
    """Return the issue that its links call “weekly-12” or “weekly-digest-3”; None for any other campaign."""
    match = _CAMPAIGN.fullmatch(campaign.strip().lower())
    if match is None:
        return None
    slug, number = match["slug"], int(match["number"])
    for kind in _KINDS:
        of_kind = Issue.objects.filter(publication__slug=slug.removesuffix(f"-{kind}"), kind=kind, number=number)
        if slug.endswith(f"-{kind}") and (issue := of_kind.first()):
            return issue
    return Issue.objects.filter(publication__slug=slug, kind=Issue.Kind.ISSUE, number=number).first()


def sum_gifts(issue: Issue, *, content: IssueContent | None) -> list[GiftTotal]:
    """Return the gifts to the issue by currency, then by block, the largest sum first."""
    sums = Gift.objects.filter(issue=issue).order_by()
    totals = sums.values_list("currency").annotate(Sum("amount"), Count("pk"))
    blocks = sums.values_list("block", "currency").annotate(Sum("amount"), Count("pk"))
    titles = _title_blocks(content) if content else {}
    rows = [GiftTotal("", "", *total) for total in totals]
    rows += [GiftTotal(block, titles.get(block, ""), *total) for block, *total in blocks if block]
    return sorted(rows, key=lambda row: (row.block != "", -row.amount, row.currency))


def _title_blocks(content: IssueContent) -> dict[str, str]:
    """Return a title for each block: its heading, or the headline of its story."""
    names = name_blocks(content.blocks)
    return {names[block.key]: _find_title(block) for block in content.blocks} | {FOOTER: ""}


def _find_title(block: object) -> str:
    for name in ("heading", "headline", "label"):
        if isinstance(text := getattr(block, name, ""), str) and text:
            return text
    story, appeals = getattr(block, "story", None), getattr(block, "appeals", ())
    return story.title if story is not None else next((appeal.headline for appeal in appeals), "")


def _make_row(gift: ReportedGift, issue: Issue, *, by: str, now: datetime) -> Gift:
    return Gift(
        reference=gift.reference,
        issue=issue,
        block=gift.block,
        amount=gift.amount,
        currency=gift.currency,
        given_on=gift.given_on,
        added_at=now,
        added_by=by,
    )
