"""Write the Spanish version of a sample issue. Sources link its stories, the organisation's file its appeals."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from newsletter.demo.sample_content import load_spanish_texts
from newsletter.issues.assembly.first_draft import paragraphs
from newsletter.issues.planning.translate_texts import save_translations
from newsletter.issues.snapshot.own_texts import hash_text, list_own_texts
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import EventNotice, Issue

SPANISH = "es"


@transaction.atomic
def translate_issue(*, issue: Issue, by: User, now: datetime) -> None:
    """Store the Spanish titles of the issue's events and the Spanish version of its own texts."""
    content = resolve_content(issue)
    titles = load_spanish_texts("event")
    for event in EventNotice.objects.filter(pk__in=[event.id for event in content.events]):
        if title := titles.get(event.title):
            _translate_event(event, title=title, now=now)
    known: dict[str, str] = {}
    for english, spanish in load_spanish_texts("text").items():
        known[hash_text(english)] = spanish
        known[hash_text(paragraphs(english))] = paragraphs(spanish)
    texts = {text: known[text.sha256] for text in list_own_texts(content) if text.sha256 in known}
    save_translations(issue=issue, language=SPANISH, texts=texts, by=by, now=now)


def _translate_event(original: EventNotice, *, title: str, now: datetime) -> None:
    EventNotice.objects.update_or_create(
        translation_of=original,
        language=SPANISH,
        defaults={
            "title": title,
            "external_id": f"{original.external_id[:400]}-{SPANISH}",
            "url": original.url,
            "starts_at": original.starts_at,
            "ends_at": original.ends_at,
            "zone": original.zone,
            "all_day": original.all_day,
            "day": original.day,
            "place_text": original.place_text,
            "town": original.town,
            "country": original.country,
            "region": original.region,
            "latitude": original.latitude,
            "longitude": original.longitude,
            "online": original.online,
            "seen_at": now,
        },
    )
