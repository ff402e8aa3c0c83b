"""A page that adds an event to a calendar: Google Calendar, Outlook, or a file for any other. It counts nobody.

The words of the event are those of its translation, if the language of the mail that led here has one. Its place too, unless
the translation takes place elsewhere.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from icalendar import Calendar, Event

from newsletter.common.languages import find_offered_language
from newsletter.content.ingesting.translated_events import has_same_location
from newsletter.issues.protected_terms.check import event_has_protected_term
from newsletter.issues.snapshot.resolve_blocks import make_calendar_name, parse_calendar_name, resolve_event
from newsletter.issues.snapshot.translated_rows import find_translations
from newsletter.issues.variants.dates import format_event_time
from newsletter.issues.visible.event_locations import add_town, describe_event_location
from newsletter.models import EventNotice
from newsletter.rendering.phrases import find_phrase, get_babel_locale, reader_text
from subscribers.web.page import private_page, render_response

GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"
_DEFAULT_DURATION = timedelta(hours=1)
_PRIVATE_HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "X-Content-Type-Options": "nosniff"}


@private_page
def show_calendar_choices(request: HttpRequest, name: str) -> HttpResponse:
    """Show the calendars to choose from, in the language of the mail that led here; only the file if it is cancelled."""
    language = translation.get_language() or "en"
    # Mails may be in a language in which we have no pages.
    language_of_mail = find_offered_language(request.GET.get("lang", "")) or language
    event = resolve_event(_find_event(name, language=language_of_mail))
    heading = (
        reader_text("cancelled_heading", language) if event.cancelled else find_phrase("add_to_calendar", language)
    )
    context = {
        "title": heading,
        "event": event,
        "when": format_event_time(event, locale=get_babel_locale(language), default_zone="UTC"),
        "where": describe_event_location(event, language=language),
        "name": name,
        "language": language_of_mail,
        "file_label": find_phrase("calendar_file", language),
    }
    return render_response("add_to_calendar.html", context)


@require_safe
@cache_control(public=True, max_age=300)
def show_calendar_file(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with the event as it is now, so that calendars also show a cancellation or a new time."""
    event = _find_event(name, language=request.GET.get("lang", ""))
    response = HttpResponse(make_calendar(event), content_type="text/calendar; charset=utf-8", headers=_PRIVATE_HEADERS)
    response["Content-Disposition"] = f'attachment; filename="event-{event.pk}.ics"'
    return response


@require_safe
@cache_control(public=True, max_age=300)
def go_to_google(request: HttpRequest, name: str) -> HttpResponse:
    event = _find_event(name, language=request.GET.get("lang", ""))
    starts, ends = event_span(event)
    date_format = "%Y%m%d" if event.all_day else "%Y%m%dT%H%M%SZ"
    query = {
        "action": "TEMPLATE",
        "text": event.title,
        "dates": f"{starts:{date_format}}/{ends:{date_format}}",
        "details": _details(event),
        "location": _describe_location(event),
    }
    return HttpResponseRedirect(f"{GOOGLE}?{urlencode(query)}", headers=_PRIVATE_HEADERS)


@require_safe
@cache_control(public=True, max_age=300)
def go_to_outlook(request: HttpRequest, name: str) -> HttpResponse:
    event = _find_event(name, language=request.GET.get("lang", ""))
    starts, ends = event_span(event)
    query = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": event.title,
        "startdt": _format_for_outlook(starts, all_day=event.all_day),
        "enddt": _format_for_outlook(ends, all_day=event.all_day),
        "body": _details(event),
        "location": _describe_location(event),
    }
    if event.all_day:
        query["allday"] = "true"
    return HttpResponseRedirect(f"{OUTLOOK}?{urlencode(query)}", headers=_PRIVATE_HEADERS)


def make_calendar(event: EventNotice) -> bytes:
    """Return an iCalendar file with one event, in UTC.

    A later change has a later DTSTAMP and a higher SEQUENCE. Without them, calendars ignore the file of an event that they have.
    """
    calendar, entry = Calendar(), Event()
    calendar.add("prodid", "-//newsletter//events//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    starts, ends = event_span(event)
    entry.add("uid", f"{make_calendar_name(event.pk)}@{settings.NEWSLETTER_SITE_URL.split('//')[-1]}")
    changed_at = (event.changed_at or event.seen_at).astimezone(UTC)
    entry.add("dtstamp", changed_at)
    entry.add("last-modified", changed_at)
    entry.add("sequence", max(round((changed_at - event.seen_at).total_seconds()), 0))
    entry.add("dtstart", starts.date() if event.all_day else starts)
    entry.add("dtend", ends.date() if event.all_day else ends)
    entry.add("summary", event.title)
    entry.add("status", "CANCELLED" if event.cancelled else "CONFIRMED")
    for name, value in (("description", _details(event)), ("location", _describe_location(event)), ("url", event.url)):
        if value:
            entry.add(name, value)
    calendar.add_component(entry)
    return bytes(calendar.to_ical())


def event_span(event: EventNotice) -> tuple[datetime, datetime]:
    """Return start and end in UTC; of an all-day event, midnights. Without an end, it lasts an hour or one day."""
    if event.all_day:
        first = datetime.combine(event.first_day, datetime.min.time(), UTC)
        days = round((event.ends_at - event.starts_at) / timedelta(days=1)) if event.ends_at else 1
        return first, first + timedelta(days=max(days, 1))
    starts = event.starts_at.astimezone(UTC)
    ends = (
        event.ends_at.astimezone(UTC)
        if event.ends_at and event.ends_at > event.starts_at
        else starts + _DEFAULT_DURATION
    )
    return starts, ends


def _find_event(name: str, *, language: str) -> EventNotice:
    """Return the event in a language: title, summary, page and the words for its place are those of its translation."""
    event_id = parse_calendar_name(name)
    event = EventNotice.objects.filter(pk=event_id).first() if event_id else None
    if event is not None:
        _put_translated_words(event, language=find_offered_language(language))
    if event is None or event_has_protected_term(event):
        raise Http404("There is no such event.")
    return event


def _put_translated_words(event: EventNotice, *, language: str) -> None:
    row = find_translations(EventNotice, {event.pk}).get((event.pk, language)) if language else None
    if row is not None and not row.cancelled:
        event.title, event.summary, event.url = row.title, row.summary or event.summary, row.url or event.url
        event.language = row.language
        if has_same_location(row, event):
            event.place_text = row.place_text or event.place_text


def _describe_location(event: EventNotice) -> str:
    """Return the address, with its town in the event's own language. Online, it can be a link."""
    return (
        event.place_text if event.online else add_town(event.place_text, resolve_event(event), language=event.language)
    )


def _details(event: EventNotice) -> str:
    return "\n\n".join(part for part in (event.summary[:600], event.url) if part)


def _format_for_outlook(moment: datetime, *, all_day: bool) -> str:
    return f"{moment:%Y-%m-%d}" if all_day else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
