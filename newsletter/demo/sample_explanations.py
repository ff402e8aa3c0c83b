"""Print the answers of `newsletter explain` for three of the sample people: why they got what they got, and not the rest."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, QuerySet
from rich.console import Console

from newsletter.demo.sample_translations import SPANISH
from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.management.explanation_lines import list_explanation_lines
from newsletter.models import Delivery, Issue
from subscribers.models import Subscriber

_MAX_LEFT_OUT = 2


def print_explanations(*, weekly: Issue, dates: Issue, offices: Issue, now: datetime, console: Console) -> None:
    """Explain the weekly issue to a reader of Spanish, and the last issue to people whose limit or memory decided."""
    for person, issue in _choose_people(weekly=weekly, dates=dates, offices=offices):
        console.print(f"\nnewsletter explain {person.email} {issue.reference}", highlight=False)
        explained = explain_issue(issue, person=person, now=now)
        for line in list_explanation_lines(explained, max_left_out=_MAX_LEFT_OUT):
            console.print(f"  {line}", markup=False, highlight=False)


def _choose_people(*, weekly: Issue, dates: Issue, offices: Issue) -> Iterator[tuple[Subscriber, Issue]]:
    """Yield each person with the issue to explain. A small sample may not have all three."""
    got_weekly, got_offices = _list_recipients(weekly), _list_recipients(offices)
    spanish = got_weekly.filter(language=SPANISH).annotate(chosen=Count("topics")).order_by("-chosen", "pk")
    had_two = got_weekly.filter(pk__in=_list_recipients(dates)).exclude(pk__in=got_offices)
    had_one = got_weekly.filter(pk__in=got_offices)
    for people, issue in ((spanish, weekly), (had_two, offices), (had_one, offices)):
        if person := people.first():
            yield person, issue


def _list_recipients(issue: Issue) -> QuerySet[Subscriber]:
    got = Delivery.objects.filter(issue=issue, proof=False).order_by().values("subscriber_id")
    return Subscriber.objects.filter(pk__in=got).order_by("pk")
