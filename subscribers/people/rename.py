"""Correct the name of a person. They can change it themselves as well."""

from datetime import datetime

from django.db import transaction

from newsletter.common.text import clean_line, require_length
from subscribers.models import EventKind, Subscriber
from subscribers.models.people import MAX_NAME_LENGTH
from subscribers.outbound_events import record_event


@transaction.atomic
def rename_person(*, person: Subscriber, name: str, now: datetime) -> bool:
    """Store the cleaned name. Return False if it is the one they have. Raise BadValue if it is too long."""
    cleaned = require_length(clean_line(name), limit=MAX_NAME_LENGTH, name="name")
    if cleaned == person.name:
        return False
    person.name = cleaned
    person.save(update_fields=["name"])
    record_event(EventKind.PERSON_CHANGED, data={}, now=now, person=person.pk)
    return True
