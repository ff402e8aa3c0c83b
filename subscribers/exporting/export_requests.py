"""Who may take people as a file: up to 500 alone in a day; more with a second person's yes, within a day, once.

What is shown or taken of single people counts towards the 500, so that many small downloads are no way round.

The yes is to a number of people. Where the list has grown past it, the file has to be asked for again.
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from newsletter.common.errors import DomainError
from subscribers.exporting.csv_export import people_to_export
from subscribers.models import Disclosure, ExportRequest, MailingList
from subscribers.models.exports import GROWTH_DIVISOR, MAX_PEOPLE_WITHOUT_APPROVAL

DAY = timedelta(days=1)
REQUEST_LIFETIME = timedelta(days=7)
EXPORT_RECORD_RETENTION = timedelta(days=30)


class CannotExport(DomainError):
    """A file of people that may not be taken, or not by this person, or not any more."""


@transaction.atomic
def request_export(
    *, by: Any, mailing_list: MailingList | None, reason: str, has_bom: bool, now: datetime
) -> ExportRequest:
    """Puts on record that somebody wants the file. `alone` says that they may take it at once."""
    get_user_model().objects.select_for_update().get(pk=by.pk)  # two at once would not count each other
    people = people_to_export(mailing_list).count()
    alone = people + _taken_alone(by, now=now) <= MAX_PEOPLE_WITHOUT_APPROVAL
    return ExportRequest.objects.create(
        asked_by=by,
        asked_at=now,
        reason=reason.strip(),
        mailing_list=mailing_list,
        has_bom=has_bom,
        people_when_asked=people,
        max_people=people if alone else people + people // GROWTH_DIVISOR,
        without_approval=alone,
    )


def allow_export(*, request: ExportRequest, by: Any, now: datetime) -> None:
    """A second person lets it be taken, for a day. Raises `CannotExport`."""
    if request.asked_by_id == by.pk:
        raise CannotExport(_("You asked for this file. A second person has to allow it."))
    _check_not_grown(request)
    allowed = _waiting(now).filter(pk=request.pk).exclude(asked_by=by)
    if not allowed.update(allowed_by=by, allowed_at=now, expires_at=now + DAY):
        raise CannotExport(_("This file is not waiting any more: it was allowed already, or asked for a week ago."))


def take_export(*, request: ExportRequest, by: Any, now: datetime) -> None:
    """From here on the file is taken, and not a second time; it holds `taken` people at most. Raises `CannotExport`."""
    if request.asked_by_id != by.pk:
        raise CannotExport(_("Only who asked for this file may take it."))
    taken = request.people_when_asked if request.without_approval else _check_not_grown(request)
    free = ExportRequest.objects.filter(pk=request.pk, used_at__isnull=True)
    if not free.filter(Q(without_approval=True) | Q(expires_at__gte=now)).update(used_at=now, people_in_file=taken):
        raise CannotExport(
            _(
                "This file may not be taken: nobody has allowed it yet, it was taken already, or a day is over. Ask again."
            )
        )
    request.refresh_from_db()


@transaction.atomic
def record_disclosure(*, by: Any, kind: Disclosure.Kind, people: int, about: int, now: datetime) -> None:
    """Record that this person is shown, or takes, so many whole addresses. Raises `CannotExport` above 500 in a day."""
    get_user_model().objects.select_for_update().get(pk=by.pk)  # two at once would not count each other
    taken = _taken_alone(by, now=now)
    if taken + people > MAX_PEOPLE_WITHOUT_APPROVAL:
        raise CannotExport(
            _(
                "You have taken or seen %(taken)s people in the last 24 hours, and this is %(people)s more. One person may "
                "take %(most)s. Ask for a file under “Export people”: a second person can allow it."
            )
            % {"taken": f"{taken:,}", "people": f"{people:,}", "most": f"{MAX_PEOPLE_WITHOUT_APPROVAL:,}"}
        )
    Disclosure.objects.create(by=by, at=now, kind=kind, people=people, about=about)


def list_waiting_exports(*, now: datetime) -> QuerySet[ExportRequest]:
    """Asked for within the last week, and not yet allowed by a second person; the oldest first."""
    return _waiting(now).select_related("asked_by", "mailing_list").order_by("asked_at", "pk")


def list_ready_exports(*, by: Any, now: datetime) -> QuerySet[ExportRequest]:
    """What this person asked for, was allowed and has not taken."""
    ready = ExportRequest.objects.filter(asked_by=by, used_at__isnull=True, expires_at__gte=now)
    return ready.select_related("allowed_by", "mailing_list").order_by("asked_at", "pk")


def delete_old_exports(*, now: datetime) -> None:
    """What was asked for a month ago goes; the staff log keeps who took what."""
    ExportRequest.objects.filter(asked_at__lt=now - EXPORT_RECORD_RETENTION).delete()
    Disclosure.objects.filter(at__lt=now - EXPORT_RECORD_RETENTION).delete()


def _check_not_grown(request: ExportRequest) -> int:
    """How many people are to be exported now. Raises `CannotExport` where they are more than was asked for."""
    people = people_to_export(request.mailing_list).count()
    if people > request.max_people:
        raise CannotExport(
            _(
                "There are %(people)s people now. The file was asked for %(asked)s, and may hold %(most)s at most. "
                "Ask for it again, so that a second person sees the new number."
            )
            % {"people": f"{people:,}", "asked": f"{request.people_when_asked:,}", "most": f"{request.max_people:,}"}
        )
    return people


def _waiting(now: datetime) -> QuerySet[ExportRequest]:
    return ExportRequest.objects.filter(
        without_approval=False, used_at__isnull=True, allowed_at__isnull=True, asked_at__gt=now - REQUEST_LIFETIME
    )


def _taken_alone(by: Any, *, now: datetime) -> int:
    """How many people this person asked for alone, took one by one, or was shown in the last day."""
    asked = ExportRequest.objects.filter(asked_by=by, without_approval=True, asked_at__gt=now - DAY)
    shown = Disclosure.objects.filter(by=by, at__gt=now - DAY)
    alone = asked.aggregate(all=Sum("people_when_asked"))["all"] or 0
    return int(alone) + int(shown.aggregate(all=Sum("people"))["all"] or 0)
