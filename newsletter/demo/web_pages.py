"""The sample organisation's web pages: home, stories, events and a few short ones, as HTML bytes.

Stories carry OpenGraph and JSON-LD, events JSON-LD. It writes pages from data and serves nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from newsletter.demo.events import DemoEvent
from newsletter.demo.stories import NAME, PARTNER_NAME, DemoStory

_ENVIRONMENT = Environment(
    loader=PackageLoader("newsletter.demo", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)

SHORT_PAGES = {
    "/give/": (
        "Give an hour",
        "Twenty pounds buys an hour of a lawyer’s time. This page is a sample and takes no money.",
    ),
    "/give/monthly/": (
        "Give monthly",
        "A small gift each month keeps a door open. This page is a sample and takes no money.",
    ),
    "/donors/": ("Donor portal", "Here your supporters would see their gifts and receipts. This page is a sample."),
    "/join/": ("Invite a friend", "Here a friend would sign up for the letter. This page is a sample."),
    "/volunteer/": ("Volunteer for the helpline", "Two evenings a month, from home. This page is a sample."),
    "/partner/": (PARTNER_NAME, "Una organización aliada, inventada, con un pequeño blog en español."),
}


def write_home(
    *,
    stories: Sequence[DemoStory],
    field: Sequence[DemoStory],
    partner: Sequence[DemoStory],
    events: Sequence[DemoEvent],
) -> bytes:
    """The home page, which lists all that the site serves."""
    return _render(
        "home.html.j2",
        title="Home",
        stories=stories,
        field=field,
        partner=partner,
        events=events,
        partner_name=PARTNER_NAME,
    )


def write_story_page(story: DemoStory, *, others: Mapping[str, DemoStory], site: str) -> bytes:
    """A story's own page; ``others`` by slug are where its related stories are found."""
    return _render(
        "story.html.j2",
        title=story.title,
        language=story.language,
        site=site,
        story=story,
        body=Markup(story.body_html),  # noqa: S704  written by DemoStory, which escapes
        related=[others[slug] for slug in story.related],
        linked_data=_describe_story(story, site=site),
    )


def write_event_page(events: Sequence[DemoEvent], *, title: str, site: str) -> bytes:
    """A page of one event, or of several in one JSON-LD graph."""
    described = [_describe_event(event, site=site) for event in events]
    linked_data: dict[str, object]
    if len(described) == 1:
        linked_data = {"@context": "https://schema.org", **described[0]}
    else:
        linked_data = {"@context": "https://schema.org", "@graph": described}
    return _render("event.html.j2", title=title, events=events, linked_data=linked_data)


def write_short_page(*, title: str, text: str) -> bytes:
    """A page of a heading and a sentence, for the links of the sample appeals."""
    return _render("plain.html.j2", title=title, text=text)


def _describe_story(story: DemoStory, *, site: str) -> dict[str, object]:
    described: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": story.title,
        "description": story.teaser,
        "url": f"{site}{story.path}",
        "datePublished": story.published_at.isoformat(),
        "inLanguage": story.language,
        "keywords": list(story.topics),
        "author": {"@type": "Person", "name": story.author},
        "publisher": {"@type": "Organization", "name": NAME},
    }
    if story.picture:
        described["image"] = {
            "@type": "ImageObject",
            "url": f"{site}{story.picture_path}",
            "width": 1200,
            "height": 675,
        }
    return described


def _describe_event(event: DemoEvent, *, site: str) -> dict[str, object]:
    mode = "OnlineEventAttendanceMode" if event.online else "OfflineEventAttendanceMode"
    described: dict[str, object] = {
        "@type": "Event",
        "@id": f"{site}{event.path}#event",
        "name": event.title,
        "description": event.summary,
        "url": f"{site}{event.path}",
        "startDate": event.starts_at.date().isoformat() if event.all_day else event.starts_at.isoformat(),
        "endDate": _last_day(event) if event.all_day else event.ends_at.isoformat(),
        "eventStatus": f"https://schema.org/{'EventCancelled' if event.cancelled else 'EventScheduled'}",
        "eventAttendanceMode": f"https://schema.org/{mode}",
        "organizer": {"@type": "Organization", "name": NAME},
    }
    if event.online:
        described["location"] = {"@type": "VirtualLocation", "url": f"{site}{event.path}"}
    else:
        described["location"] = _describe_place(event)
    return described


def _last_day(event: DemoEvent) -> str:
    """schema.org's end date is inclusive, unlike iCalendar's."""
    return (event.ends_at.date() - timedelta(days=1)).isoformat()


def _describe_place(event: DemoEvent) -> dict[str, object]:
    place: dict[str, object] = {"@type": "Place", "name": event.place.split(",")[0], "address": event.place}
    if event.geo:
        latitude, longitude = event.geo
        place["geo"] = {"@type": "GeoCoordinates", "latitude": latitude, "longitude": longitude}
    return place


def _render(template: str, **values: object) -> bytes:
    values.setdefault("language", "en")
    return _ENVIRONMENT.get_template(template).render(name=NAME, **values).encode()
