"""Find the people who are to get a welcome mail now. It writes nothing."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.issues.quiet_hours import find_people_in_quiet_hours
from newsletter.models import Issue, WelcomeStep
from newsletter.models.special_issues.welcome import MAX_LATE

_NOT_REACHED = (WelcomeStep.Code.REJECTED, WelcomeStep.Code.EARLIER_STEP)


def find_due_steps(issue: Issue, *, now: datetime) -> QuerySet[WelcomeStep]:
    """Return the rows of the people who get this mail now, unless they may not be mailed.

    Quiet hours, by a person's own clock, hold every mail but the first: somebody just asked for that one.
    """
    due = find_steps_whose_day_has_come(issue, now=now)
    if issue.number == 1:
        return due
    return due.exclude(subscriber_id__in=find_people_in_quiet_hours(issue.publication, now=now).values("pk"))


def find_steps_whose_day_has_come(issue: Issue, *, now: datetime) -> QuerySet[WelcomeStep]:
    """Return the rows of people who get this mail now or after their quiet hours.

    Its days have passed, it is not too late, and the mails before it were accepted or are not to be sent.
    """
    joined_by = now - timedelta(days=issue.delay_days or 0)
    waiting = issue.welcome_steps.filter(state=WelcomeStep.State.WAITING)
    return waiting.filter(
        ~Exists(_find_earlier_steps().filter(_is_unsettled_or_failed())),
        joined_at__lte=joined_by,
        joined_at__gt=joined_by - MAX_LATE,
    )


def find_steps_after_failure() -> QuerySet[WelcomeStep]:
    """Return the waiting rows of people whom an earlier mail of the welcome did not reach."""
    return WelcomeStep.objects.filter(
        Exists(_find_earlier_steps().filter(_has_failed())), state=WelcomeStep.State.WAITING
    )


def find_late_steps(issue: Issue, *, now: datetime) -> QuerySet[WelcomeStep]:
    """Return the waiting rows of people for whom this mail is too late."""
    joined_by = now - timedelta(days=issue.delay_days or 0) - MAX_LATE
    return issue.welcome_steps.filter(state=WelcomeStep.State.WAITING, joined_at__lte=joined_by)


def _find_earlier_steps() -> QuerySet[WelcomeStep]:
    return WelcomeStep.objects.filter(
        mailing_list=OuterRef("mailing_list"), address_hash=OuterRef("address_hash"), step__lt=OuterRef("step")
    )


def _is_unsettled_or_failed() -> Q:
    return _has_failed() | Q(state__in=[WelcomeStep.State.WAITING, WelcomeStep.State.SENDING])


def _has_failed() -> Q:
    return Q(state=WelcomeStep.State.UNCERTAIN) | Q(code__in=_NOT_REACHED)
