"""Documents of a fictional organisation, for the tests of rendering."""

import re
from dataclasses import replace
from html import unescape

from newsletter.rendering.blocks import (
    AppealBlock,
    Block,
    Brand,
    Button,
    Divider,
    Document,
    EventItem,
    Events,
    ImageBlock,
    LeadStory,
    Note,
    Picture,
    Quote,
    Related,
    StoryCards,
    StoryItem,
)

SITE = "https://harbour.example"
BRAND = Brand(
    name="Harbour Justice",
    postal_address="Harbour Justice, 1 Example Quay, London ZZ1 1ZZ",
    website=f"{SITE}/",
    colour="#17414f",
    accent="#a8481b",
    background="#f5f0e6",
    donate_url=f"{SITE}/give/",
    donor_portal_url=f"{SITE}/donors/",
    social=(("facebook", "https://social.example/facebook"), ("linkedin", "https://social.example/linkedin")),
)
NOTE = "*A pseudonym. Some details have been changed."


def picture(name: str = "terraces", *, width: int = 1200, height: int = 800, alt: str = "Fields at dawn") -> Picture:
    return Picture(f"{SITE}/media/{name}.jpg", width, height, alt)


def story(title: str = "The court that arrives by boat", **changes: object) -> StoryItem:
    plain = StoryItem(title, f"{SITE}/stories/one/?a=1&b=2", teaser="Four islands, one magistrate.", picture=picture())
    return replace(plain, **changes)  # type: ignore[arg-type]


def event(title: str = "An evening of stories", **changes: object) -> EventItem:
    plain = EventItem(
        title,
        f"{SITE}/events/1/",
        "Thursday 3 December, 18:30",
        "3",
        "Dec",
        where="Central Library, Reading",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def document(*blocks: Block, **changes: object) -> Document:
    plain = Document(
        subject="Three seasons of unpaid wages, paid",
        preheader="The court that arrives by boat · Ask us first · Forty-one widows hold title",
        language="en",
        brand=BRAND,
        blocks=blocks,
        publication="The Weekly Letter",
        reason="You get this because you signed up for The Weekly Letter.",
        urls={"view_online": "https://news.harbour.example/view/abc"},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def rich_document() -> Document:
    return document(
        Note(
            body_html='<p>Dear {{ first_name | default:"friend" }},</p>'
            '<p>Read <a href="https://harbour.example/how/">how we choose stories</a>.</p>'
            "<ul><li>One</li><li>Two</li></ul>",
            body_text='Dear {{ first_name | default:"friend" }},\n\nRead how we choose stories: https://harbour.example/how/',
            key="note",
        ),
        LeadStory(
            story(
                "Tea pickers receive three seasons of wages", topic="Fair wages", date="24 November 2026", notes=(NOTE,)
            ),
            key="lead",
        ),
        StoryCards(
            (
                story(),
                story(
                    "“Ask us first”", topic="Policing", picture=picture("lanterns"), notes=("*Her own choice of name.",)
                ),
                story("Forty-one widows hold title", picture=None),
            ),
            key="cards",
        ),
        Quote("I wrote it down because it was true.", "Amara*, tea picker", notes=("*A pseudonym.",), key="quote"),
        Events(
            (
                event(distance="61 km from you", calendar_url=f"{SITE}/calendar/1"),
                event("Ask a field lawyer", where="", online=True),
            ),
            key="events",
        ),
        AppealBlock(
            "Stand beside one family", "A month at a time.\n\nStop when you like.", f"{SITE}/give/", "Give monthly"
        ),
        Related((("What a payslip can do", f"{SITE}/s/1"), ("Hearings by video link", f"{SITE}/s/2")), key="related"),
        Divider(key="divider"),
        ImageBlock(picture("fields"), caption="The valley after the first rain.", key="image"),
        Button("See all our stories", f"{SITE}/stories/", key="button"),
        subject='Wages paid, {{ first_name | default:"friend" }}',
    )


def big_document(*, stories: int, events: int) -> Document:
    many = tuple(
        story(
            f"Story number {number}: a title of usual length for the field",
            teaser="Four islands, one magistrate, and a hearing room that ties up at the quay on the first Monday.",
            topic="Access to courts",
            date="23 November 2026",
            picture=picture(f"picture-{number}"),
            notes=(f"*A pseudonym of story {number}.",) if number % 3 == 0 else (),
        )
        for number in range(stories)
    )
    meetings = tuple(
        event(f"Event {number} with a name of usual length", distance="7 km from you") for number in range(events)
    )
    return document(LeadStory(story()), StoryCards(many), Events(meetings))


def visible_text(html: str) -> str:
    """Return the visible text of the HTML: no styles, no comments, no tags, entities decoded."""
    bare = re.sub(r"<!--.*?-->|<(style|title)\b.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", bare)).split())
