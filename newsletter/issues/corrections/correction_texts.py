"""Write the texts of a correction in a language, and store those in the publication's further languages as translations."""

from dataclasses import astuple, dataclass
from datetime import datetime
from html import escape

from newsletter.common.text import escape_merge_fields, shorten
from newsletter.issues.snapshot.own_texts import hash_text
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.variants.dates import format_event_time
from newsletter.issues.visible.event_locations import describe_event_location
from newsletter.models import Correction, EventNotice, Publication, TextTranslation
from newsletter.rendering.phrases import get_babel_locale, reader_text


@dataclass(frozen=True)
class CorrectionTexts:
    """``text`` is HTML."""

    subject: str
    preheader: str
    heading: str
    text: str
    events_heading: str


def write_correction_texts(
    *,
    change_type: str,
    mixed: bool,
    title: str,
    was: EventRecord,
    now: EventRecord,
    language: str,
    zone: str,
    year: int,
) -> CorrectionTexts:
    """Return the texts for people who got ``was``. Leave out ``year`` and the city of ``zone``, which they know."""
    before, after = (_describe_event(event, language=language, zone=zone, year=year) for event in (was, now))
    announced, current = (" · ".join(filter(None, parts)) for parts in (before, after))
    phrase = f"{change_type}_some_text" if mixed else f"{change_type}_text"
    change = _describe_move(before, after, language=language)
    text = reader_text(phrase, language, title=title, when=announced, change=change)
    subject = reader_text(f"{change_type}_subject", language, title=escape_merge_fields(title))
    preheader = announced if change_type == Correction.ChangeType.CANCELLED else current
    return CorrectionTexts(
        subject=shorten(subject, 150),
        preheader=shorten(escape_merge_fields(preheader), 100),
        heading=reader_text(f"{change_type}_heading", language),
        text=f"<p>{escape(escape_merge_fields(text), quote=False)}</p>",
        events_heading=reader_text("moved_events", language),
    )


def _describe_event(event: EventRecord, *, language: str, zone: str, year: int) -> tuple[str, str]:
    """Return when and where an event is."""
    when = format_event_time(event, locale=get_babel_locale(language), default_zone=zone, year=year)
    return when, describe_event_location(event, language=language)


def _describe_move(before: tuple[str, str], after: tuple[str, str], *, language: str) -> str:
    """Return the text about a moved event: its new time, its new place, or both."""
    (when, where), (when_now, where_now) = before, after
    other_time, other_place = when != when_now, where != where_now and bool(where_now)
    names = {(True, True): "both", (True, False): "time", (False, True): "place", (False, False): "other"}
    return reader_text(f"moved_{names[other_time, other_place]}", language, when_now=when_now, where_now=where_now)


def store_translations(
    texts: CorrectionTexts, *, translated: CorrectionTexts, publication: Publication, language: str, now: datetime
) -> None:
    """Store each text as the translation of the same text in the publication's language."""
    for source, text in zip(astuple(texts), astuple(translated), strict=True):
        TextTranslation.objects.update_or_create(
            publication=publication,
            language=language,
            source_sha256=hash_text(source),
            defaults={"source": source, "text": text, "by": None, "at": now},
        )


def find_translation_in(event: EventNotice, language: str) -> EventNotice | None:
    """Return the translation of an event in a language, if it has one. That of a cancelled event may be cancelled too."""
    translations = event.translations.filter(language__istartswith=language, cancelled__in={False, event.cancelled})
    return translations.select_related("source").first()
