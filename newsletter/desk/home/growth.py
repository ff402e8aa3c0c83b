"""How each list grew over the last weeks, as a chart with its numbers. Reads only."""

from datetime import datetime

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from newsletter.desk.home.charts import Point, draw_line
from newsletter.desk.shell.labels import label_people
from subscribers.models import MailingList
from subscribers.people.growth import count_growth

WEEKS = 12
MAX_LISTS_SHOWN = 6


def draw_growth(*, now: datetime) -> list[SafeString]:
    """One chart for each list that has a publication in use, by name."""
    lists = MailingList.objects.filter(publication__enabled=True).distinct().order_by("name")
    return [_draw_list(mailing_list, now=now) for mailing_list in lists[:MAX_LISTS_SHOWN]]


def _draw_list(mailing_list: MailingList, *, now: datetime) -> SafeString:
    weeks = count_growth(mailing_list=mailing_list, weeks=WEEKS, now=now)
    points = [Point(label=date_format(week.day, "j M"), value=week.people) for week in weeks]
    last = weeks[-1]
    summary = _("%(people)s now; in the last week %(joined)s joined and %(left)s left.") % {
        "people": label_people(last.people),
        "joined": intcomma(last.joined),
        "left": intcomma(last.left),
    }
    return draw_line(points, title=str(mailing_list), summary=summary, unit=_("People"))
