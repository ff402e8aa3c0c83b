"""The page on which staff choose an event's location, if its text is ambiguous or unknown."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import BadValue, NotConfirmed, UnknownPlace
from newsletter.common.staff_pages import PermittedPage, keep_refused_form, take_refused_form
from newsletter.common.text import require_length
from newsletter.common.translation import translate
from newsletter.content.ingesting.home_location import find_home_country
from newsletter.content.ingesting.location_questions import answer_location_question
from newsletter.desk.approvals.approval_effect import describe_approved, withdrawing_approvals
from newsletter.desk.content.event_text import format_start
from newsletter.models import EventNotice
from subscribers.desk.segments.rule_block_bases import TownInput
from subscribers.people.location_labels import translate_note
from subscribers.places.regions import country_label, region_label
from subscribers.places.search import find_place
from subscribers.places.town_names import town_label
from subscribers.places.towns import Town, compass_point, county_name, distance_km, find_towns_named

MAX_QUESTIONS_SHOWN = 50
MAX_TOWN_LENGTH = 200
COMPASS_LABELS = {
    "N": gettext_lazy("north"),
    "NE": gettext_lazy("north-east"),
    "E": gettext_lazy("east"),
    "SE": gettext_lazy("south-east"),
    "S": gettext_lazy("south"),
    "SW": gettext_lazy("south-west"),
    "W": gettext_lazy("west"),
    "NW": gettext_lazy("north-west"),
}


@dataclass(frozen=True)
class LocationOption:
    """A possible location: its key in the form, name, county, coordinates, and distance from the likeliest option."""

    key: str
    name: str
    county: str
    coordinates: str
    distance: str


@dataclass(frozen=True)
class LocationQuestion:
    """One question for all events of a source with the same location text. `others` counts the further events."""

    event: EventNotice
    alike: list[EventNotice]
    when: str
    note: str
    options: list[LocationOption]
    others: int


class EventLocationsPage(PermittedPage):
    """GET lists the questions about upcoming events; POST answers one with a candidate or a typed town."""

    template_name = "desk/event_locations.html"
    page_title = gettext_lazy("Where are these events?")
    header_icon = "globe"
    permission_policy = ModelPermissionPolicy(EventNotice)

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Events"), reverse("wagtailsnippets_newsletter_eventnotice:list"))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context = super().get_context_data(**kwargs)
        questions = list_location_questions(now=timezone.now())
        refused = take_refused_form(self.request, address=self.request.path)
        return {
            **context,
            "questions": [
                (
                    question,
                    *_render_field(
                        question.event.pk, refused if refused.get("event") == str(question.event.pk) else {}
                    ),
                    describe_approved(question.alike, request=self.request),
                )
                for question in questions
            ],
            "media": context.get("media", TownInput().media) + TownInput().media,
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        pk = request.POST.get("event", "")
        event = get_object_or_404(EventNotice.objects.select_related("source"), pk=pk if pk.isdigit() else 0)
        try:
            place = self._find_chosen_location(event) or self._find_typed_location(event)
        except (BadValue, UnknownPlace) as error:
            problem = translate_note(error.message)
            keep_refused_form(request, problem=problem, field="town")
            messages.error(request, problem)
            return redirect("newsletter_event_places")
        by, now = cast(User, request.user), timezone.now()
        try:
            with transaction.atomic(), withdrawing_approvals(event, request=request):
                changed = answer_location_question(event=event, town=place, by=by, now=now)
                log(instance=event, action="newsletter.answer_location_question", user=by)
        except NotConfirmed as error:
            keep_refused_form(request)
            messages.error(request, translate(error))
            return redirect("newsletter_event_places")
        messages.success(
            request,
            ngettext(
                "%(events)s event is now in %(place)s. We will read the same text from this source in the same way.",
                "%(events)s events are now in %(place)s. We will read the same text from this source in the same way.",
                changed,
            )
            % {"events": changed, "place": label_town(place)},
        )
        return redirect("newsletter_event_places")

    def _find_chosen_location(self, event: EventNotice) -> Town | None:
        chosen = self.request.POST.get("place", "")
        return next((place for place in list_candidates(event) if location_key(place) == chosen), None)

    def _find_typed_location(self, event: EventNotice) -> Town:
        """Return the town that staff typed. Raises UnknownPlace, or BadValue for a text that is too long."""
        text = require_length(self.request.POST.get("town", "").strip(), limit=MAX_TOWN_LENGTH, name="town")
        if not text:
            raise UnknownPlace("Choose one of the locations, or enter a town.")
        region = event.source.region if event.source else ""
        match = find_place(text, near=region or find_home_country())
        if match.place is None:
            raise UnknownPlace(match.reason)
        return match.place


def _render_field(event_id: int, refused: dict[str, str]) -> tuple[str, str]:
    """Return the field for a town, with what was typed into it, and the problem of a town that was refused."""
    problem = refused.get("refusal", "")
    attributes = {"id": f"nl-town-{event_id}"}
    if problem:
        attributes |= {"aria-invalid": "true", "aria-describedby": f"nl-town-{event_id}-error"}
    return TownInput().render("town", refused.get("town", ""), attributes), problem


def list_location_questions(*, now: datetime) -> list[LocationQuestion]:
    """Return the questions about upcoming events, by date; one question for the same text of a source."""
    events = (
        EventNotice.objects.filter(starts_at__gte=now, cancelled=False)
        .exclude(place_question={})
        .select_related("source")
        .order_by("starts_at", "pk")
    )
    groups: dict[tuple[int | None, str], list[EventNotice]] = {}
    for event in events:
        groups.setdefault((event.source_id, event.place_text.casefold()), []).append(event)
    return [
        LocationQuestion(
            event=alike[0],
            alike=alike,
            when=format_start(alike[0]),
            note=translate_note(alike[0].place_question.get("note", "")),
            options=list_location_options(list_candidates(alike[0])),
            others=len(alike) - 1,
        )
        for alike in list(groups.values())[:MAX_QUESTIONS_SHOWN]
    ]


def list_location_options(places: list[Town]) -> list[LocationOption]:
    """Return the options: the likeliest first, then the others by their distance from it."""
    if not places:
        return []
    first, *further = places
    distance = {location_key(place): distance_km(*coordinates_of(first), *coordinates_of(place)) for place in further}
    ranked = [first, *sorted(further, key=lambda place: distance[location_key(place)])]
    return [
        LocationOption(
            location_key(place),
            label_town(place),
            find_county(place),
            format_coordinates(place),
            describe_distance(first, place) if place is not first else "",
        )
        for place in ranked
    ]


def list_candidates(event: EventNotice) -> list[Town]:
    """Return the candidate locations of an event's question."""
    return [
        Town(
            name=candidate["town"],
            country=candidate["country"],
            region=candidate["region"],
            latitude=candidate["latitude"],
            longitude=candidate["longitude"],
            zone=candidate["zone"],
            population=0,
        )
        for candidate in event.place_question.get("candidates", [])
    ]


def location_key(place: Town) -> str:
    """Return a key for a candidate that does not depend on its position in the list."""
    return f"{place.region or place.country}|{place.name}|{place.latitude:.4f}|{place.longitude:.4f}"


def find_county(place: Town) -> str:
    """Return the name of a candidate's county, or "". The question keeps where a candidate is, not its county."""
    alike = (town for town, _own in find_towns_named(place.name) if location_key(town) == location_key(place))
    county = county_name(next((town.county for town in alike), 0))
    return "" if county == place.name else county


def coordinates_of(place: Town) -> tuple[float, float]:
    return place.latitude, place.longitude


def label_town(place: Town) -> str:
    """Return “Newport, Wales, United Kingdom” in the current language."""
    language = get_language() or "en"
    region = region_label(place.region, language=language) if place.region else ""
    name = town_label(place.name, country=place.country, language=language)
    return ", ".join(dict.fromkeys(filter(None, [name, region, country_label(place.country, language=language)])))


def format_coordinates(place: Town) -> str:
    """Return “51.59° N, 3.00° W”."""
    north = _("%(degrees)s° N") if place.latitude >= 0 else _("%(degrees)s° S")
    east = _("%(degrees)s° E") if place.longitude >= 0 else _("%(degrees)s° W")
    return ", ".join(
        text % {"degrees": number_format(round(abs(value), 2), 2)}
        for text, value in ((north, place.latitude), (east, place.longitude))
    )


def describe_distance(first: Town, place: Town) -> str:
    """Return “180 km south-east of the first”."""
    away = distance_km(*coordinates_of(first), *coordinates_of(place))
    side = COMPASS_LABELS[compass_point(*coordinates_of(first), *coordinates_of(place))]
    return _("%(km)s km %(side)s of the first") % {"km": intcomma(round(away)), "side": side}
