"""The charts of the reports: clicks by link, block and day, and outcomes over the issues of a publication."""

from collections.abc import Callable
from datetime import date

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.sends.report_text import label_accepted
from newsletter.desk.shell.charts import Point, draw_bars, draw_line
from newsletter.desk.shell.labels import label_in_publication
from newsletter.feedback.report import BlockClicks, Figures, LinkFigures
from newsletter.issue_checks.finding_locations import BLOCK_KINDS

MAX_LINKS_SHOWN = 25


def draw_links(links: list[LinkFigures]) -> SafeString:
    points = [Point(label=link.words or link.url, value=link.people) for link in links[:MAX_LINKS_SHOWN]]
    total = sum(link.people for link in links)
    summary = ngettext(
        "%(total)s click by people. Repeated clicks by the same person count.",
        "%(total)s clicks by people. Repeated clicks by the same person count.",
        total,
    ) % {"total": intcomma(total)}
    return draw_bars(points, title=_("Links by clicks"), summary=summary, unit=_("Clicks"))


def draw_blocks(blocks: list[BlockClicks]) -> SafeString:
    points = [Point(label=block.title or _label_kind(block.kind), value=block.people) for block in blocks]
    return draw_bars(points, title=_("Clicks by block"), summary=_("In the order of the mail."), unit=_("Clicks"))


def _label_kind(kind: str) -> str:
    return str(capfirst(BLOCK_KINDS.get(kind, kind.replace("_", " ")))) if kind else _("Other links")


def draw_days(days: list[tuple[date, int]]) -> SafeString:
    points = [Point(label=date_format(day, _("D j M")), value=people) for day, people in days]
    summary = _("We record the day (UTC) of a click, not the hour and not the person.")
    return draw_bars(points, title=_("When people clicked"), summary=summary, unit=_("Clicks"))


def draw_trends(figures: list[Figures]) -> list[SafeString]:
    """Draw a line for each outcome over the issues, the oldest issue first."""
    charts = [
        _draw_trend(label_accepted(figures), _("People"), figures, count=lambda issue: issue.accepted),
        _draw_trend(_("Unsubscribed"), _("People"), figures, count=lambda issue: issue.receipt.unsubscribed),
    ]
    reported = [issue for issue in figures if issue.knows_failures]
    if reported:
        charts.insert(1, _draw_trend(_("Bounced"), _("People"), reported, count=lambda issue: issue.receipt.bounced))
    counted = [issue for issue in figures if issue.counts_clicks]
    if counted:
        charts.append(_draw_trend(_("Clicks by people"), _("Clicks"), counted, count=lambda issue: issue.clicks))
    return charts


def _draw_trend(title: str, unit: str, figures: list[Figures], *, count: Callable[[Figures], int]) -> SafeString:
    points = [Point(label=_label_issue(issue), value=count(issue)) for issue in figures]
    values = [point.value for point in points]
    summary = ngettext(
        "%(title)s: %(last)s (%(issue)s).",
        "%(title)s: %(last)s (%(issue)s). Last %(count)s issues: %(low)s to %(high)s.",
        len(values),
    ) % {
        "title": title,
        "last": intcomma(values[-1]),
        "issue": points[-1].label,
        "low": intcomma(min(values)),
        "high": intcomma(max(values)),
        "count": len(values),
    }
    return draw_line(points, title=title, summary=summary, unit=unit)


def _label_issue(figures: Figures) -> str:
    day = date_format(figures.sent_at, _("j M")) if figures.sent_at else ""
    return ", ".join(filter(None, [label_in_publication(figures.issue), day]))
