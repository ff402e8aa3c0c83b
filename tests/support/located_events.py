"""Events whose location staff have to choose, and the page on which they do."""

from newsletter.content.ingesting.location_questions import make_location_question
from newsletter.content.parsing.event_locations import EventLocation
from newsletter.models import EventNotice
from subscribers.places.search import find_place
from tests.support.fixtures import make_event

PAGE = "/admin/events/places/"


def make_question(title: str = "Vigil", words: str = "Springfield", **changes: object) -> EventNotice:
    match = find_place(words)
    question = make_location_question(EventLocation(note=match.reason, candidates=match.candidates))
    return make_event(title, place_text=words, note=match.reason, place_question=question, **changes)
