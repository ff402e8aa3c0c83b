"""Choose the events and appeals of an issue, and give each candidate its reason. `story_candidates` chooses the stories."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from newsletter.common.languages import find_offered_language
from newsletter.common.messages import Message, describe_days
from newsletter.issues.appeal_rules import find_reason_against, list_by_priority
from newsletter.models import Appeal, EventNotice, Publication, Slot, Source, Story

MAX_CANDIDATES = 200
STALE_SOURCE_AGE = timedelta(days=8)


@dataclass(frozen=True)
class Reason:
    """The reason why a candidate is chosen or not, for staff. ``kind`` is story, event or appeal.

    ``issue`` is the other issue that has the story, or 0.
    """

    kind: str
    id: int
    title: str
    chosen: bool
    why: str
    issue: int = 0


@dataclass(frozen=True)
class Choice:
    """The chosen content of an issue, with the reasons of all candidates."""

    stories: list[Story]
    events: list[EventNotice]
    appeals: list[Appeal]
    reasons: list[Reason]


def choose_events(
    *, publication: Publication, due_at: datetime, now: datetime
) -> tuple[list[EventNotice], list[Reason]]:
    """Choose the next date of each coming event, by date; none for a publication that shows no events."""
    if not publication.events:
        return [], []
    sources = list(publication.sources.values_list("pk", flat=True))
    ahead = EventNotice.objects.filter(
        starts_at__gt=due_at, starts_at__lte=due_at + timedelta(days=publication.days_ahead)
    )
    if sources:
        ahead = ahead.filter(Q(source__in=sources) | Q(source__isnull=True))
    chosen: list[EventNotice] = []
    reasons: list[Reason] = []
    seen: set[tuple[str, str]] = set()
    for event in (
        ahead.select_related("source", "translation_of")
        .prefetch_related("translations")
        .order_by("starts_at", "pk")[:MAX_CANDIDATES]
    ):
        exclusion = _find_event_exclusion_reason(event, seen, now) or find_other_version(event, publication=publication)
        if exclusion:
            reasons.append(
                Reason("event", event.pk, str(event), False, Message("left out: %(reason)s", reason=exclusion))
            )
            continue
        seen.add((event.title, event.place_text))
        chosen.append(event)
        location = (
            Message("online, for everybody")
            if event.online
            else event.town or event.region or Message("its location is not known")
        )
        why = Message("coming up; %(location)s", location=location)
        if event.open_note:
            why = Message("%(why)s. To check: %(note)s", why=why, note=event.open_note)
        reasons.append(Reason("event", event.pk, str(event), True, why))
    return chosen, reasons


def find_event_exclusion_reason(event: EventNotice, *, publication: Publication, due_at: datetime) -> str:
    """Return why an event was no candidate at all, for staff; "" if it was one."""
    if not publication.events:
        return Message("this publication shows no events")
    if event.starts_at <= due_at:
        return Message("it begins before the issue goes out")
    if event.starts_at > due_at + timedelta(days=publication.days_ahead):
        days = describe_days(publication.days_ahead)
        return Message("too far ahead: the issue covers the next %(days)s", days=days)
    sources = set(publication.sources.values_list("pk", flat=True))
    if sources and event.source_id is not None and event.source_id not in sources:
        return Message("this publication does not use its source")
    return ""


def has_new_event(events: list[EventNotice], *, last: Slot | None, days_ahead: int) -> bool:
    """Return True if an issue of the ``last`` slot could not show one of these events: it was unknown or too far ahead.

    A later date of an event that it could show is not new.
    """
    if last is None or last.assembled_at is None:
        return bool(events)
    ahead = EventNotice.objects.filter(
        starts_at__gt=last.due_at, starts_at__lte=last.due_at + timedelta(days=days_ahead)
    )
    shown = set(ahead.filter(seen_at__lt=last.assembled_at).values_list("title", "place_text"))
    return any((event.title, event.place_text) not in shown for event in events)


def _find_event_exclusion_reason(event: EventNotice, seen: set[tuple[str, str]], now: datetime) -> str:
    if event.cancelled:
        return Message("cancelled")
    if stale := find_stale_reason(event.source, now):
        return stale
    if (event.title, event.place_text) in seen:
        return Message("a later date of an event that is in")
    if not event.online and event.latitude is None and not event.region:
        note = event.note or Message("give it a location or mark it as online")
        return Message("its location is not known: %(note)s", note=note)
    return ""


def choose_appeals(*, publication: Publication, due_at: datetime) -> tuple[list[Appeal], list[Reason]]:
    """Return the appeals for this publication, the highest priority first, and a reason for every enabled appeal."""
    day = due_at.astimezone(ZoneInfo(publication.zone)).date()
    chosen: list[Appeal] = []
    reasons: list[Reason] = []
    for appeal in list_by_priority():
        exclusion = _find_appeal_exclusion_reason(appeal, publication=publication, day=day)
        if not exclusion:
            chosen.append(appeal)
        why = (
            Message("left out: %(reason)s", reason=exclusion)
            if exclusion
            else Message("shown to: %(appeal)s", appeal=appeal.get_audience_display().lower())
        )
        reasons.append(Reason("appeal", appeal.pk, appeal.headline, not exclusion, why))
    return chosen, reasons


def _find_appeal_exclusion_reason(appeal: Appeal, *, publication: Publication, day: date) -> str:
    against = find_reason_against(appeal, publication=publication, day=day)
    return against or find_other_version(appeal, publication=publication)


def find_stale_reason(source: Source | None, now: datetime) -> str:
    """Return why the content of a source is out of date, or "". A disabled source is left for staff to judge."""
    if (
        source is None
        or not source.enabled
        or source.last_success_at is None
        or source.last_success_at >= now - STALE_SOURCE_AGE
    ):
        return ""
    return Message(
        "its source has not been readable since %(last_success_at)s", last_success_at=source.last_success_at.date()
    )


def find_other_version(row: Story | EventNotice | Appeal, *, publication: Publication) -> str:
    """Return why another row is shown in place of this one: that in the publication's language, else the original. Else ""."""
    usual_language = find_offered_language(publication.language)
    if find_offered_language(row.language) == usual_language and row.language:
        return ""
    if row.translation_of is not None:
        return Message("a translation of “%(title)s”", title=str(row.translation_of))
    translations = (
        version for version in row.translations.all() if find_offered_language(version.language) == usual_language
    )
    translation = next(translations, None)
    return Message("“%(title)s” is its translation", title=str(translation)) if translation else ""
