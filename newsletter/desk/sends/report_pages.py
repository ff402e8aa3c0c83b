"""The report of one issue, and the results of a publication's issues: pages, charts and CSV. Read only."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View

from newsletter.desk.issues.issue_page import ISSUES, DeskPage, IssuePermissionMixin, overview_url
from newsletter.desk.sends.alarms import AlarmsContext, alarms_context, list_accounts_of_issue
from newsletter.desk.sends.click_map import click_map_response, find_link_texts
from newsletter.desk.sends.count_comparison import ComparisonContext, comparison_context
from newsletter.desk.sends.gifts_page import GiftsPage
from newsletter.desk.sends.gmail_figures import GmailContext, list_send_figures
from newsletter.desk.sends.progress import find_send
from newsletter.desk.sends.report_charts import MAX_LINKS_SHOWN, draw_blocks, draw_days, draw_links, draw_trends
from newsletter.desk.sends.report_csv import issues_csv_response, report_csv_response
from newsletter.desk.sends.report_text import (
    ReportRow,
    format_money,
    format_share,
    label_accepted,
    label_gift_block,
    list_report_rows,
)
from newsletter.desk.sends.subject_test import SubjectTestContext, subject_test_context
from newsletter.desk.shell.labels import label_deliveries, label_exclusions, label_in_publication, label_issue
from newsletter.feedback.report import (
    Figures,
    LinkFigures,
    Report,
    VariantFigures,
    find_links,
    find_sends,
    make_report,
    measure_sends,
)
from newsletter.models import Issue, Publication, Send, Variant
from subscribers.models import EndReason

MAX_ISSUES_SHOWN, MAX_VARIANTS_SHOWN = 26, 12
MAX_VARIANTS_READ = 40


class ReportContext(AlarmsContext, SubjectTestContext, ComparisonContext):
    """The context of desk/report.html. ``excluded`` and ``deliveries`` are (people, label), ``left`` (label, people)."""

    gmail: list[GmailContext]
    issue: Issue
    figures: Figures
    compared: int
    rows: list[ReportRow]
    trend: SafeString | str
    joined: int
    left: list[tuple[str, int]]
    excluded: list[tuple[int, str]]
    deliveries: list[tuple[int, str]]
    counts_clicks: bool
    links: list[LinkFigures]
    more_links: int
    link_chart: str
    block_chart: str
    day_chart: str
    variants: list[VariantFigures]
    more_variants: int
    raised: list[str]
    raised_by: list[tuple[str, str, int]]
    largest_variant: VariantFigures | None


@dataclass(frozen=True)
class IssueResult:
    """One issue in the table of results. Shares are text, "" if unknown."""

    figures: Figures
    issue: Issue
    name: str
    whole_name: str
    sent_at: datetime | None
    accepted: int
    delivered: str
    bounced: str
    complained: str
    unsubscribed: str


class ResultsContext(TypedDict):
    """The context of desk/results.html."""

    publication: Publication | None
    publications: QuerySet[Publication]
    rows: list[IssueResult]
    is_comparison: bool
    can_add_gifts: bool
    charts: list[SafeString]
    accepted_label: str


def get_sent_issue(pk: int) -> tuple[Issue, Send]:
    """Return the issue with its send. Raises Http404 if nothing of it was sent."""
    issue = get_object_or_404(ISSUES, pk=pk)
    send = find_send(issue)
    if send is None or send.started_at is None:
        raise Http404("Nothing of this issue was sent yet.")
    return issue, send


class IssueReport(DeskPage):
    template_name = "desk/report.html"
    header_icon = "table"

    def get(self, request: HttpRequest, *args: object, **kwargs: int) -> HttpResponse:
        self.issue, self.send = get_sent_issue(kwargs["pk"])
        self.report = add_link_texts(make_report(self.send), self.send)
        if request.GET.get("as") == "csv":
            return report_csv_response(self.report)
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_page_title(self) -> str:
        return _("Report: %(issue)s") % {"issue": label_issue(self.issue)}

    def list_parents(self) -> list[tuple[str, str]]:
        return [(label_issue(self.issue), overview_url(self.issue))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        report, figures = self.report, self.report.figures
        context: ReportContext = {
            **alarms_context(self.request.user, accounts=list_accounts_of_issue(self.issue, self.send)),
            **subject_test_context(self.issue, send=find_send(self.issue), user=self.request.user),
            **comparison_context(self.send, now=timezone.now()),
            "gmail": list_send_figures(self.send, now=timezone.now()),
            "issue": self.issue,
            "figures": figures,
            "compared": len(report.earlier),
            "rows": list_report_rows(figures, report.earlier),
            "trend": draw_trends([*reversed(report.earlier), figures])[-1] if report.earlier else "",
            "joined": report.list_change.joined,
            "left": [(str(EndReason(reason).label), people) for reason, people in report.list_change.ended.items()],
            "excluded": label_exclusions(figures.receipt.excluded),
            "deliveries": label_deliveries(figures.receipt, without=["accepted"]),
            "counts_clicks": figures.issue.publication.clicks != Publication.Clicks.OFF or bool(report.links),
            "links": report.links[:MAX_LINKS_SHOWN],
            "more_links": max(len(report.links) - MAX_LINKS_SHOWN, 0),
            "link_chart": draw_links(report.links) if report.links else "",
            "block_chart": draw_blocks(report.blocks) if report.blocks else "",
            "day_chart": draw_days(report.days) if report.days else "",
            "raised": [format_money(total) for total in report.gifts if not total.block],
            "raised_by": [
                (label_gift_block(total), format_money(total), total.gifts) for total in report.gifts if total.block
            ],
            "variants": report.variants[:MAX_VARIANTS_SHOWN],
            "more_variants": max(len(report.variants) - MAX_VARIANTS_SHOWN, 0),
            "largest_variant": report.variants[0] if report.variants else None,
        }
        return {**super().get_context_data(**kwargs), **context}


class ClickMap(IssuePermissionMixin, View):
    """The largest variant with its clicks, for an iframe."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        issue, send = get_sent_issue(pk)
        variant = find_largest_variant(send)
        if variant is None:
            raise Http404("The mails of this issue are no longer stored.")
        return click_map_response(variant, clicks={link.url: link.people for link in find_links(issue)})


class Results(DeskPage):
    """The issues of one publication: trends as charts, and a table to compare them."""

    template_name = "desk/results.html"
    header_icon = "table"
    page_title = gettext_lazy("Results")

    def get(self, request: HttpRequest, *args: object, **kwargs: int) -> HttpResponse:
        slug = request.GET.get("publication", "")
        self.publication = find_publication(slug)
        if slug and self.publication is None:
            raise Http404("There is no such publication.")
        sends = find_sends(self.publication, limit=MAX_ISSUES_SHOWN) if self.publication else []
        self.figures = measure_sends(sends)
        if request.GET.get("as") == "csv" and self.publication:
            return issues_csv_response(self.figures, name=self.publication.slug)
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        chosen = {int(value) for value in self.request.GET.getlist("issue") if value.isdecimal()}
        rows = [figures for figures in self.figures if not chosen or figures.issue.pk in chosen]
        issues = [figures for figures in reversed(self.figures) if figures.issue.kind == Issue.Kind.ISSUE]
        context: ResultsContext = {
            "publication": self.publication,
            "publications": Publication.objects.order_by("name"),
            "rows": [_make_result(figures) for figures in rows],
            "is_comparison": bool(chosen),
            "can_add_gifts": GiftsPage.admits(self.request.user),
            "charts": draw_trends(issues) if len(issues) > 1 and not chosen else [],
            "accepted_label": label_accepted(rows),
        }
        return {**super().get_context_data(**kwargs), **context}


def find_publication(slug: str) -> Publication | None:
    """Return the publication of the slug; without a slug that of the newest send, or else the first enabled one."""
    if slug:
        return Publication.objects.filter(slug=slug).first()
    newest = Publication.objects.filter(issues__sends__started_at__isnull=False).order_by("-issues__sends__started_at")
    return newest.first() or Publication.objects.order_by("-enabled", "name").first()


def add_link_texts(report: Report, send: Send) -> Report:
    """Return the report with the text of each link, taken from the largest variant that has it."""
    texts: dict[str, str] = {}
    missing = {link.url for link in report.links}
    for variant in find_variants_by_size(send)[:MAX_VARIANTS_READ]:
        if not missing:
            break
        texts = {**find_link_texts(variant.html), **texts}
        missing -= texts.keys()
    return replace(report, links=[replace(link, words=texts.get(link.url, "")) for link in report.links])


def find_variants_by_size(send: Send) -> QuerySet[Variant]:
    """Return the variants of the send, the one with most people first. A variant may have many batches."""
    rows = send.batches.order_by().values("variant").annotate(people=Sum("size"))
    people = rows.filter(variant=OuterRef("pk")).values("people")
    return (
        Variant.objects.filter(pk__in=rows.values("variant"))
        .annotate(people=Subquery(people))
        .order_by("-people", "pk")
    )


def find_largest_variant(send: Send) -> Variant | None:
    return find_variants_by_size(send).first()


def _make_result(figures: Figures) -> IssueResult:
    receipt = figures.receipt
    return IssueResult(
        figures=figures,
        issue=figures.issue,
        name=label_in_publication(figures.issue),
        whole_name=label_issue(figures.issue),
        sent_at=figures.sent_at,
        accepted=figures.accepted,
        delivered=format_share(figures.share(receipt.delivered)) if figures.has_delivery_reports else "",
        bounced=format_share(figures.share(receipt.bounced)) if figures.knows_failures else "",
        complained=format_share(figures.share(receipt.complained)) if figures.knows_failures else "",
        unsubscribed=format_share(figures.share(receipt.unsubscribed)),
    )
