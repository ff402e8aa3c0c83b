"""Home: open steps of “Set up”, tasks, planned issues, the last issue with rates, subscriber growth. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from wagtail.admin.ui.components import Component

from newsletter.common.database.one_reading import one_reading
from newsletter.common.translation import format_percent
from newsletter.desk.home.coming_up import ComingUp, find_coming_up
from newsletter.desk.home.list_tasks import find_tasks
from newsletter.desk.home.task_item import Task
from newsletter.desk.issues.overview import DeliveryContext, delivery_context
from newsletter.desk.sends.alarms import AlarmsContext, alarms_context, list_accounts_of_publications
from newsletter.desk.sends.progress import find_send
from newsletter.desk.setup.steps import Step, StepState, can_set_up, list_states
from newsletter.desk.shell.charts import Point, draw_line
from newsletter.desk.shell.labels import label_people
from newsletter.models import Batch, Issue, Send
from newsletter.sending.settling.receipt import Receipt
from subscribers.audience.count_cache import Figure, recall_or_count
from subscribers.desk.count_again import label_counted, make_count_again_url, wants_count
from subscribers.models import MailingList
from subscribers.people.growth import Week, count_growth

MAX_LISTS_SHOWN = 6
GROWTH_WEEKS = 12
CALENDAR = "calendar"


@dataclass(frozen=True)
class Rate:
    """A number of people and its share, as “2.1 %”: of the recipients for those accepted, of those accepted for the others."""

    label: str
    people: int
    share: str


class GrowthContext(TypedDict):
    growth_charts: list[SafeString]
    growth_counted: str
    count_again_url: str


class HomeContext(AlarmsContext, GrowthContext):
    """The context of desk/home.html. ``rates`` is empty, and ``receipt_error`` says why, if the numbers do not add up."""

    setup: list[StepState]
    setup_first: StepState | None
    setup_done: int
    setup_skipped: list[Step]
    tasks: list[Task]
    csrf_token: str
    can_add_publication: bool
    can_add_issue: bool
    can_view_issues: bool
    coming: ComingUp
    shows_calendar: bool
    last_issue: Issue | None
    recipients: int
    rates: list[Rate]
    to_files: bool
    knows_failures: bool
    receipt_error: str


class ParentContext(TypedDict):
    request: HttpRequest


class HomePanel(Component):
    template_name = "desk/home.html"
    order = 10

    def get_context_data(self, parent_context: ParentContext) -> HomeContext:
        with one_reading():
            return self._read(parent_context["request"], now=timezone.now())

    def _read(self, request: HttpRequest, *, now: datetime) -> HomeContext:
        person: User | AnonymousUser = request.user
        setup = list_states() if can_set_up(person) else []
        last_issue, delivery = find_last_issue()
        receipt, to_files = delivery.get("receipt"), delivery.get("to_files", False)
        knows_failures = delivery.get("knows_failures", False)
        return {
            **alarms_context(person, accounts=list_accounts_of_publications()),
            "setup": setup,
            "setup_first": next((step for step in setup if step.state == "open"), None),
            "setup_done": sum(step.state == "done" for step in setup),
            "setup_skipped": [step.step for step in setup if step.state == "skipped"],
            "tasks": find_tasks(now=now, person=person),
            "csrf_token": get_token(request),
            "can_add_publication": person.has_perm("newsletter.add_publication"),
            "can_add_issue": person.has_perm("newsletter.change_issue"),
            "can_view_issues": person.has_perm("newsletter.view_issue"),
            "coming": find_coming_up(now=now),
            "shows_calendar": request.GET.get("coming") == CALENDAR,
            "last_issue": last_issue,
            "recipients": receipt.recipients if receipt else 0,
            "rates": list_rates(receipt, to_files=to_files, knows_failures=knows_failures) if receipt else [],
            "to_files": to_files,
            "knows_failures": knows_failures,
            "receipt_error": delivery.get("receipt_error", ""),
            **growth_context(request, now=now),
        }


def find_last_issue() -> tuple[Issue | None, DeliveryContext]:
    """Return the newest issue that reached anybody and is no correction, and its delivery summary."""
    reached = Send.objects.filter(
        issue=OuterRef("pk"), batches__state__in=[Batch.State.ACCEPTED, Batch.State.PARTIAL]
    ).order_by()
    sent = (
        Issue.objects.filter(Q(state=Issue.State.SENT) | Q(Exists(reached), state=Issue.State.CANCELLED))
        .exclude(kind=Issue.Kind.CORRECTION)
        .select_related("publication", "slot")
    )
    issue = sent.order_by("-made_at").first()
    send = find_send(issue) if issue else None
    return issue, delivery_context(issue, send) if issue and send else {}


def list_rates(receipt: Receipt, *, to_files: bool = False, knows_failures: bool = True) -> list[Rate]:
    """Return the outcomes in people and as shares, as the report does. An outcome that was not reported is left out.

    ``to_files`` is True if the mails were written to files, ``knows_failures`` if bounces and complaints were reported.
    """
    accepted = receipt.deliveries.get("accepted", 0)
    first = Rate(_("Written to files") if to_files else _("Accepted"), accepted, _share(accepted, receipt.recipients))
    rows = [
        (_("Delivered"), receipt.delivered or None),
        (_("Bounced"), receipt.bounced if knows_failures else None),
        (_("Unsubscribed"), receipt.unsubscribed),
        (_("Reported as spam"), receipt.complained if knows_failures else None),
    ]
    return [first, *(Rate(label, people, _share(people, accepted)) for label, people in rows if people is not None)]


def _share(people: int, total: int) -> str:
    return format_percent(100 * people / total) if total else ""


def growth_context(request: HttpRequest, *, now: datetime) -> GrowthContext:
    """Return one chart for each list of an enabled publication, by name, and when the oldest was counted if not now."""
    lists = MailingList.objects.filter(publication__enabled=True).distinct().order_by("name")
    figures = [(row, _recall_growth(row, now=now, again=wants_count(request))) for row in lists[:MAX_LISTS_SHOWN]]
    counted = min((figure.counted_at for _row, figure in figures if figure.counted_at), default=None)
    return {
        "growth_charts": [_draw_list(row, figure.value) for row, figure in figures],
        "growth_counted": label_counted(counted) if counted else "",
        "count_again_url": make_count_again_url(request),
    }


def _recall_growth(mailing_list: MailingList, *, now: datetime, again: bool) -> Figure[list[Week]]:
    def count() -> list[Week]:
        return count_growth(mailing_list=mailing_list, weeks=GROWTH_WEEKS, now=now)

    name = f"growth of list {mailing_list.pk} in {timezone.get_current_timezone_name()}"
    return recall_or_count(name, count, now=now, again=again)


def _draw_list(mailing_list: MailingList, weeks: list[Week]) -> SafeString:
    """Return the chart of a list from its first people on, or a sentence if it has had nobody."""
    first = next((at for at, week in enumerate(weeks) if week.people or week.joined or week.left), None)
    if first is None:
        return format_html("<p><strong>{}</strong> {}</p>", str(mailing_list), _("No subscribers yet."))
    drawn_weeks = weeks[max(first - 1, 0) :]
    points = [Point(label=date_format(week.day, _("j M")), value=week.people) for week in drawn_weeks]
    last = weeks[-1]
    summary = _("%(people)s now. In the last week, %(joined)s joined and %(left)s unsubscribed.") % {
        "people": label_people(last.people),
        "joined": intcomma(last.joined),
        "left": intcomma(last.left),
    }
    return draw_line(points, title=str(mailing_list), summary=summary, unit=_("People"))
