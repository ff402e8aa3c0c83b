"""Reports of an issue and of a publication's last issues: people and clicks, counted from rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from html import escape

import orjson
from django.conf import settings
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from newsletter.feedback.gifts import GiftTotal, sum_gifts
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.mail_links import remove_campaign
from newsletter.models import Issue, LinkClicks, Publication, Send, Variant
from newsletter.providers.registry import OUTBOX
from newsletter.sending.settling.receipt import Receipt, make_receipts
from subscribers.models import Basis, Subscription

MAX_EARLIER = 10
_MAIL_SERVERS = {"smtp", "smtps"}
"""The providers that report nothing afterwards. Bounces of their mails reach us only by a mailbox."""
LIST_CHANGE_PERIOD = timedelta(days=7)


@dataclass(frozen=True)
class Figures:
    """The results of one issue, in people."""

    issue: Issue
    sent_at: datetime | None
    receipt: Receipt
    clicks: int = 0
    machines: int = 0
    to_files: bool = False
    knows_failures: bool = True

    @property
    def accepted(self) -> int:
        return self.receipt.deliveries.get("accepted", 0)

    @property
    def counts_clicks(self) -> bool:
        """Return True if any click was counted; the publication may not have counted them then."""
        return bool(self.clicks or self.machines)

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
    """A variant and its number of people."""

    key: str
    label: str
    people: int


@dataclass(frozen=True)
class ListChange:
    """The people who joined the issue's list in the week after it was sent, and those who left it, by `EndReason`."""

    joined: int = 0
    ended: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class BlockClicks:
    """Clicks by people on the links of one block. ``title`` is its first heading, headline or button, or "".

    ``kind`` is the block's type, or "" for the links outside of blocks.
    """

    title: str
    people: int
    kind: str = ""


@dataclass(frozen=True)
class Report:
    """``earlier`` has the ten issues of the publication before it, the newest first; a correction is compared with none.

    ``days`` are those of clicks, in UTC.
    """

    figures: Figures
    earlier: list[Figures] = field(default_factory=list)
    list_change: ListChange = field(default_factory=ListChange)
    days: list[tuple[date, int]] = field(default_factory=list)
    blocks: list[BlockClicks] = field(default_factory=list)
    links: list[LinkFigures] = field(default_factory=list)
    variants: list[VariantFigures] = field(default_factory=list)
    gifts: list[GiftTotal] = field(default_factory=list)


def knows_failures(send: Send, receipt: Receipt) -> bool:
    """Return True if bounces and complaints were reported, or would have been. If not, 0 means nothing.

    A provider that reported any delivery also reports failures. A mail server's bounces come to the mailbox that we read.
    """
    if send.provider == OUTBOX:
        return False
    reads_mailbox = bool(settings.NEWSLETTER_INBOUND) and send.provider.partition(" ")[0] in _MAIL_SERVERS
    return reads_mailbox or bool(receipt.delivered + receipt.bounced + receipt.complained)


def find_sends(publication: Publication, *, limit: int) -> list[Send]:
    """Return up to ``limit`` sends of a publication that handed mail over, the newest first."""
    sends = Send.objects.filter(issue__publication=publication, recipients__gt=0, started_at__isnull=False)
    newest = sends.exclude(state__in=[Send.State.PREPARING, Send.State.READY]).order_by("-started_at", "-pk")
    return list(newest.select_related("issue__publication__mailing_list", "issue__slot", "revision")[:limit])


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
        Figures(
            send.issue,
            send.started_at,
            receipt,
            *clicks.get(send.issue_id, (0, 0)),
            to_files=send.provider == OUTBOX,
            knows_failures=knows_failures(send, receipt),
        )
        for send, receipt in zip(sends, make_receipts(sends), strict=True)
    ]


def make_report(send: Send) -> Report:
    """Return the report of a send, compared with the ten issues of its publication before it."""
    before = [candidate for candidate in find_sends(send.issue.publication, limit=50) if _is_before(candidate, send)]
    figures, *earlier = measure_sends([send, *before[:MAX_EARLIER]])
    links = find_links(send.issue)
    return Report(
        figures=figures,
        earlier=earlier,
        list_change=count_list_change(send),
        days=find_click_days(send.issue),
        blocks=find_block_clicks(send, links),
        links=links,
        variants=find_variants(send),
        gifts=sum_gifts(send.issue, content=IssueContent.from_json(send.revision.content) if send.revision else None),
    )


def count_list_change(send: Send) -> ListChange:
    """Count who joined and who left the list in the week after the send began."""
    if send.started_at is None:
        return ListChange()
    start, end = send.started_at, send.started_at + LIST_CHANGE_PERIOD
    agreed = (
        Subscription.objects.once_each()
        .filter(
            Q(confirmed_at__isnull=False) | ~Q(basis=Basis.DOUBLE_OPT_IN),
            mailing_list=send.issue.publication.mailing_list_id,
        )
        .order_by()
    )
    joined = agreed.annotate(joined_at=Coalesce("confirmed_at", "requested_at")).filter(
        joined_at__gt=start, joined_at__lte=end
    )
    ended = agreed.filter(ended_at__gt=start, ended_at__lte=end).values_list("end_reason").annotate(people=Count("pk"))
    return ListChange(joined=joined.count(), ended=dict(ended))


def find_click_days(issue: Issue) -> list[tuple[date, int]]:
    """Return the clicks by people on each day (UTC) that has any, the first day first."""
    days = LinkClicks.objects.filter(issue=issue).order_by("day").values_list("day").annotate(clicks=Sum("people"))
    return [(day, people) for day, people in days if people]


def find_block_clicks(send: Send, links: Iterable[LinkFigures]) -> list[BlockClicks]:
    """Return the clicks of each block in the order of the mail, and of all other links last.

    A link counts for the first block that has its address.
    """
    blocks = send.revision.content["blocks"]
    texts = [orjson.dumps(block).decode() for block in blocks]
    people = [0] * (len(blocks) + 1)
    for link in links:
        people[next((at for at, text in enumerate(texts) if _links_to(text, link.url)), -1)] += link.people
    rows = [
        BlockClicks(_find_title(block), clicks, block["type"]) for block, clicks in zip(blocks, people, strict=False)
    ]
    return [row for row in [*rows, BlockClicks("", people[-1])] if row.people]


def _links_to(block_json: str, url: str) -> bool:
    """Return True if the block has the address as a value, or as a link in its HTML."""
    url = remove_campaign(url)
    in_html = orjson.dumps(f'href="{escape(url)}"').decode()[1:-1]
    return orjson.dumps(url).decode() in block_json or in_html in block_json


def _find_title(value: object) -> str:
    """Return the first heading, headline, title or button text inside a block's JSON, or "" if it has none."""
    if isinstance(value, list):
        return next(filter(None, map(_find_title, value)), "")
    if not isinstance(value, dict):
        return ""
    title = next(
        (
            text
            for name in ("heading", "headline", "title", "label")
            if isinstance(text := value.get(name), str) and text
        ),
        "",
    )
    return title or next(filter(None, map(_find_title, value.values())), "")


def find_links(issue: Issue) -> list[LinkFigures]:
    """Return the links with clicks, the most followed first."""
    rows = LinkClicks.objects.filter(issue=issue).values_list("url").annotate(Sum("people"), Sum("machines"))
    links = [LinkFigures(url, people, machines) for url, people, machines in rows]
    return sorted(links, key=lambda link: (-link.people, -link.machines, link.url))


def find_variants(send: Send) -> list[VariantFigures]:
    """Return the number of people of each variant, the largest first."""
    people = dict(send.batches.order_by().values_list("variant").annotate(people=Sum("size")))
    variants = Variant.objects.only("key", "label_facts").in_bulk(people)
    figures = [VariantFigures(variants[pk].key, variants[pk].label, count) for pk, count in people.items()]
    return sorted(figures, key=lambda variant: -variant.people)


def _is_before(earlier: Send, send: Send) -> bool:
    return (
        earlier.issue_id != send.issue_id
        and earlier.issue.kind == send.issue.kind
        and send.issue.kind not in (Issue.Kind.CORRECTION, Issue.Kind.WELCOME)
        and earlier.started_at is not None
        and send.started_at is not None
        and earlier.started_at < send.started_at
    )
