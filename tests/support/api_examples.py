"""The calls that the API's reference shows, in the order in which they are run. Their answers are recorded."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from newsletter.models import ApiScope, Issue, Source, Variant
from newsletter.sending.freezing.start import start_send
from subscribers.exporting.export_requests import allow_export
from subscribers.importing.writing.import_steps import process_pending_imports
from subscribers.models import ExportRequest, Suppression
from tests.support.api import call, create_key
from tests.support.feed_items import make_feed_item
from tests.support.fixtures import add_subscribers, make_issue, make_publication, make_story
from tests.support.mail_templates import make_mail_template
from tests.support.web_site import Site, serve_site

NOW = "2026-03-05T09:00:00Z"
EMAIL = "new.reader@example.org"
WORDING = "Send me Supporters by email. I can unsubscribe at any time with the link in every mail."
TERMS = {"list": "supporters", "basis": "consent", "evidence": "Ticked the box on our donation form, March 2026"}
_BUTTON = {"type": "button", "value": {"label": "Visit us", "url": "https://example.org/visit/"}}


@dataclass(frozen=True)
class Example:
    """One call. `operation` is method and path of the OpenAPI document; `path` has values instead of parameters."""

    title: str
    operation: str
    path: str
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    lines: str = ""
    """A body that is not one JSON document."""


def prepare(site: Site) -> None:
    """Make what the API does not make: a publication with an issue, and a source on a real web site."""
    publication = make_publication()
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    start_send(issue=make_issue(publication, approved=True), now=timezone.now())
    make_mail_template(publication)
    items = make_feed_item(site, "new", "A new verdict") + make_feed_item(site, "old", "The first verdict")
    feed = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
    notes = make_feed_item(site, "note", "A note from the field")
    site.put("/notes.xml", feed.replace(items, notes), Content_Type="application/rss+xml")
    url = site.put("/feed.xml", feed, Content_Type="application/rss+xml")
    Source.objects.create(name="Our site", kind=Source.Kind.FEED, url=url)


EXAMPLES = (
    Example("Create a list", "POST lists", "lists", {"name": "Supporters", "description": "News for those who help."}),
    Example("All lists", "GET lists", "lists?limit=1"),
    Example("One list", "GET lists/{slug}", "lists/supporters"),
    Example("Close a list to sign-ups", "PATCH lists/{slug}", "lists/supporters", {"public": False}),
    Example("Open it again", "PATCH lists/{slug}", "lists/supporters", {"public": True}),
    Example("Create a topic", "POST topics", "topics", {"name": "Events", "names": {"es": "Actos"}}),
    Example("All topics", "GET topics", "topics"),
    Example("One topic", "GET topics/{slug}", "topics/events"),
    Example("Rename a topic", "PATCH topics/{slug}", "topics/events", {"name": "Events near you"}),
    Example("Create a topic", "POST topics", "topics", {"name": "Old news"}),
    Example("Delete a topic that nobody uses", "DELETE topics/{slug}", "topics/old-news"),
    Example(
        "Sign somebody up",
        "POST sign-ups",
        "sign-ups",
        {
            "email": EMAIL,
            "list": "supporters",
            "wording": "Send me the weekly letter by email. I can leave at any time.",
            "visitor": "203.0.113.7",
            "page": "https://example.org/get-involved/",
            "name": "A. Reader",
            "city": "Leeds",
            "country": "GB",
            "topics": ["events"],
        },
    ),
    Example(
        "Add a person who has agreed",
        "POST people",
        "people",
        {**TERMS, "email": "sam.donor@example.org", "name": "Sam Donor", "giving": "monthly", "topics": ["events"]},
        {"idempotency_key": "3f2b6a54-6c0e-4f0e-9a51-6a1f4d7f1f60"},
    ),
    Example(
        "Add many people",
        "POST people/bulk",
        "people/bulk?list=supporters&basis=consent&evidence=Ticked+the+box+in+our+shop,+March+2026",
        lines='{"email": "kim@example.org", "name": "Kim", "country": "GB", "city": "York"}\n'
        '{"email": "no address"}\n{"email": "lee@example.org", "attributes": {"member since": "2019"}}\n',
    ),
    Example(
        "Import a file",
        "POST imports",
        "imports?list=supporters&basis=consent&evidence=Sign-up+sheet,+spring+fair+2026&column=Since:attribute:member_since",
        lines="email,name,Since\nash@example.org,Ash,2019\nno address,,\n",
        headers={"content_type": "text/csv"},
    ),
    Example("Follow it", "GET imports/{batch}", "imports/3"),
    Example("Why lines were refused", "GET imports/{batch}/refused", "imports/3/refused"),
    Example("Undo it", "POST imports/{batch}/undo", "imports/3/undo"),
    Example(
        "Check a file first",
        "POST imports",
        "imports?list=supporters&basis=consent&evidence=Sign-up+sheet,+summer+fair+2026&dry_run=true",
        lines="email,name,city\nalex@example.org,Alex,Nowhere-on-Sea\nnew.reader@example.org,A. Reader,\nno address,,\n",
        headers={"content_type": "text/csv", "idempotency_key": "summer fair 2026"},
    ),
    Example("Once it is checked", "GET imports/{batch}", "imports/4"),
    Example("What would happen", "GET imports/{batch}/dry-run", "imports/4/dry-run"),
    Example(
        "Then import it",
        "POST imports/{batch}/start",
        "imports/4/start",
        headers={"idempotency_key": "start of the summer fair"},
    ),
    Example(
        "Check a file first",
        "POST imports",
        "imports?list=supporters&basis=consent&evidence=Old+notebook&dry_run=true",
        lines="email\npat@example.org\n",
        headers={"content_type": "text/csv"},
    ),
    Example("Delete a file that is not imported", "DELETE imports/{batch}", "imports/5"),
    Example("The imports of a key", "GET imports", "imports?limit=1"),
    Example("The people on a list", "GET people", "people?list=supporters&limit=1"),
    Example("One person", "GET people/{person}", "people/4"),
    Example("Find a person", "POST people/find", "people/find", {"email": EMAIL}),
    Example(
        "Change a person",
        "PATCH people/{person}",
        "people/4",
        {"name": "Samantha Donor", "city": "Hull", "country": "GB"},
    ),
    Example(
        "Change many people",
        "PATCH people",
        "people",
        {
            "people": [
                {"email": EMAIL, "giving": "monthly", "attributes": {"member since": "2019"}},
                {"email": "nobody@example.org", "giving": "donor"},
                {"email": "new.reader@example", "giving": "often"},
            ]
        },
    ),
    Example("How many people are on a list", "GET lists/{slug}/count", "lists/supporters/count"),
    Example("Stop mail of one list", "POST people/stop", "people/stop", {"email": EMAIL, "list": "supporters"}),
    Example(
        "Stop all mail",
        "POST people/stop",
        "people/stop",
        {"email": "kim@example.org", "reason": "staff"},
    ),
    Example("All suppressions", "GET suppressions", "suppressions?limit=1"),
    Example("Suppressions of an address", "POST suppressions/find", "suppressions/find", {"email": "kim@example.org"}),
    Example(
        "Allow mail again",
        "POST suppressions/{suppression}/lift",
        "suppressions/{lifted}/lift",
        {"reason": "She rang and wants the letter again."},
    ),
    Example(
        "Merge two records",
        "POST people/{person}/merge",
        "people/4/merge",
        {"absorb": 5, "reason": "The same person with two addresses."},
    ),
    Example(
        "Record a reply",
        "POST people/{person}/replies",
        "people/4/replies",
        {"replied_on": "2026-03-02"},
        {"idempotency_key": "9c1e2d50-7d5b-4b1d-8c55-0a2f0f0a7f11"},
    ),
    Example("Erase a person", "DELETE people/{person}", "people/6"),
    Example(
        "Ask for a file of a list",
        "POST exports",
        "exports",
        {"list": "supporters", "reason": "The yearly audit of our list"},
    ),
    Example("The exports of a key", "GET exports", "exports"),
    Example("Before a person has allowed it", "GET exports/{export}", "exports/1"),
    Example("After a person has allowed it", "GET exports/{export}/file", "exports/1/file"),
    Example("Try a rule", "POST segments/preview", "segments/preview", {"rule": {"giving": "monthly"}}),
    Example("Create a segment", "POST segments", "segments", {"name": "Monthly donors", "rule": {"giving": "monthly"}}),
    Example("All segments", "GET segments", "segments"),
    Example("One segment", "GET segments/{slug}", "segments/monthly-donors"),
    Example("Its people", "GET segments/{slug}/preview", "segments/monthly-donors/preview"),
    Example(
        "Change its rule",
        "PATCH segments/{slug}",
        "segments/monthly-donors",
        {"rule": {"all": [{"giving": "monthly"}, {"topic": "events"}]}},
    ),
    Example(
        "A story with a page",
        "POST stories",
        "stories",
        {
            "title": "A night at the clinic",
            "teaser": "Two nurses, forty visitors.",
            "url": "https://example.org/stories/a-night-at-the-clinic/",
            "language": "en",
            "topics": ["events"],
            "consent_needed": True,
        },
    ),
    Example("Add a case", "POST cases", "cases", {"name": "The night clinic"}),
    Example("All cases", "GET cases", "cases"),
    Example("Rename a case", "PATCH cases/{slug}", "cases/the-night-clinic", {"name": "The clinic at night"}),
    Example("A story of the case", "PATCH stories/{story}", "stories/2", {"case": "the-night-clinic"}),
    Example("One case", "GET cases/{slug}", "cases/the-night-clinic"),
    Example("All stories", "GET stories", "stories?limit=1"),
    Example("One story", "GET stories/{story}", "stories/2"),
    Example("Correct a teaser", "PATCH stories/{story}", "stories/2", {"teaser": "Two nurses and forty visitors."}),
    Example(
        "An event in a town",
        "POST events",
        "events",
        {
            "title": "Open day",
            "starts_at": "2026-04-02T17:00:00+01:00",
            "place_text": "The clinic, Leeds",
            "town": "Leeds",
            "country": "GB",
            "url": "https://example.org/events/open-day/",
        },
    ),
    Example("All events", "GET events", "events"),
    Example("One event", "GET events/{event}", "events/1"),
    Example("Cancel an event", "PATCH events/{event}", "events/1", {"cancelled": True}),
    Example(
        "An appeal for donors",
        "POST appeals",
        "appeals",
        {
            "headline": "Keep the clinic open at night",
            "text": "£12 a month pays for one night.",
            "link": "https://example.org/give/",
            "button": "Give monthly",
            "audience": "donor",
        },
    ),
    Example("All appeals", "GET appeals", "appeals"),
    Example("One appeal", "GET appeals/{slug}", "appeals/keep-the-clinic-open-at-night"),
    Example(
        "Take an appeal out of use", "PATCH appeals/{slug}", "appeals/keep-the-clinic-open-at-night", {"enabled": False}
    ),
    Example("All sources", "GET sources", "sources?limit=1"),
    Example("One source", "GET sources/{source}", "sources/1"),
    Example("Look at a source", "POST sources/{source}/look", "sources/2/look"),
    Example(
        "Add a source and have its kind found",
        "POST sources",
        "sources",
        {"name": "Field notes", "url": "{site}/notes.xml", "topics": ["events"], "every_minutes": 60},
    ),
    Example("Take a source out of use", "PATCH sources/{source}", "sources/3", {"enabled": False}),
    Example("All publications", "GET publications", "publications"),
    Example("One publication", "GET publications/{publication}", "publications/weekly"),
    Example("The last issues", "GET issues", "issues?publication=weekly&most=5"),
    Example("A receipt by id", "GET issues/{issue}/receipt", "issues/1/receipt"),
    Example("A receipt", "GET issues/{publication}/{number}/receipt", "issues/weekly/latest/receipt"),
    Example("Make an issue", "POST issues", "issues", {"publication": "weekly", "beginning": "copy", "copy_of": 1}),
    Example("An issue with its blocks", "GET issues/{issue}", "issues/1"),
    Example("Propose a subject", "PATCH issues/{issue}", "issues/2", {"subject": "The clinic is open at night"}),
    Example("The types of blocks of own words", "GET block-types", "block-types"),
    Example(
        "Add a quote",
        "POST issues/{issue}/blocks",
        "issues/2/blocks",
        {
            "type": "quote",
            "value": {"text": "They answered at three in the morning.", "who": "A patient"},
            "after": "start",
        },
    ),
    Example("Add a button", "POST issues/{issue}/blocks", "issues/2/blocks", _BUTTON),
    Example(
        "Move the button and change its words",
        "PATCH issues/{issue}/blocks/{block}",
        "issues/2/blocks/{last_block}",
        {"value": {"label": "Come on Tuesday"}, "after": "start"},
    ),
    Example("Delete a block", "DELETE issues/{issue}/blocks/{block}", "issues/2/blocks/{last_block}"),
    Example(
        "Keep the text of a page in the issue",
        "PUT issues/{issue}/parts/{part}",
        "issues/2/parts/page-12",
        {"blocks": [{"type": "quote", "value": {"text": "Two nurses are awake all night.", "who": "A volunteer"}}]},
    ),
    Example("Rehearse the send", "GET issues/{issue}/rehearsal", "issues/2/rehearsal"),
    Example("Check all versions", "POST issues/{issue}/check", "issues/2/check"),
    Example("Preview a version", "GET issues/{issue}/versions/{version}", "issues/2/versions/{version}"),
    Example("Hand it to review", "POST issues/{issue}/review", "issues/2/review", {"due": "2026-03-12T09:00"}),
    Example("All sends", "GET sends", "sends"),
    Example("The progress of a send", "GET sends/{send}", "sends/1"),
    Example("Pause a send", "POST sends/{send}/pause", "sends/1/pause", {"reason": "A number in the story is wrong."}),
    Example("The report of a send", "GET sends/{send}/report", "sends/1/report"),
    Example(
        "Report gifts",
        "POST gifts",
        "gifts",
        {
            "gifts": [
                {
                    "id": "G-1042",
                    "amount": "25.00",
                    "currency": "GBP",
                    "date": "2026-03-05",
                    "utm_campaign": "weekly-1",
                    "utm_content": "appeal-3",
                }
            ]
        },
    ),
    Example("The templates", "GET mail-templates", "mail-templates"),
    Example(
        "Create a template",
        "POST mail-templates",
        "mail-templates",
        {"name": "Your place", "publication": "weekly", "fields": {"event": "Open evening", "day": "12 March"}},
    ),
    Example(
        "Write its texts",
        "PUT mail-templates/{slug}/texts/{language}",
        "mail-templates/your-place/texts/en",
        {
            "subject": "Your place at {event}",
            "body": "You have a place at {event} on {day}.\n\nWe look forward to seeing you.",
            "reason": "You get this email because you asked for a place.",
        },
    ),
    Example(
        "Write them in Spanish",
        "PUT mail-templates/{slug}/texts/{language}",
        "mail-templates/your-place/texts/es",
        {
            "subject": "Tu plaza en {event}",
            "body": "Tienes una plaza en {event} el {day}.",
            "reason": "Recibes este correo porque pediste una plaza.",
        },
    ),
    Example(
        "Change its fields",
        "PATCH mail-templates/{slug}",
        "mail-templates/your-place",
        {"fields": {"event": "Open evening", "day": "Thursday 12 March"}},
    ),
    Example(
        "Delete the texts in Spanish",
        "DELETE mail-templates/{slug}/texts/{language}",
        "mail-templates/your-place/texts/es",
    ),
    Example("One template", "GET mail-templates/{slug}", "mail-templates/your-place"),
    Example("Delete it", "DELETE mail-templates/{slug}", "mail-templates/your-place"),
    Example(
        "Thank somebody for a gift",
        "POST mails",
        "mails",
        {
            "template": "thank-you",
            "email": "sam.donor@example.org",
            "values": {"first_name": "Sam", "amount": "£25"},
        },
        {"idempotency_key": "gift G-1042"},
    ),
    Example("Before it is sent", "GET mails/{mail}", "mails/1"),
    Example("The mails of a key", "GET mails", "mails"),
    Example("All sign-up forms", "GET sign-up-forms", "sign-up-forms"),
    Example("One form in Spanish", "GET sign-up-forms/{slug}", "sign-up-forms/supporters?language=es"),
    Example("A challenge", "GET sign-up-forms/{slug}/challenge", "sign-up-forms/supporters/challenge"),
    Example(
        "A visitor's mistake",
        "POST sign-up-forms/{slug}",
        "sign-up-forms/supporters",
        {"email": "", "wording": WORDING, "visitor": "203.0.113.7"},
    ),
    Example(
        "A visitor signs up",
        "POST sign-up-forms/{slug}",
        "sign-up-forms/supporters",
        {
            "email": "visitor@example.org",
            "name": "Robin",
            "wording": WORDING,
            "visitor": "203.0.113.7",
            "page": "https://example.org/get-involved/",
        },
    ),
    Example("Begin an empty issue", "POST issues", "issues", {"publication": "weekly", "beginning": "empty"}),
    Example("Delete a draft that nobody approved", "DELETE issues/{issue}", "issues/3"),
    Example("Delete a story that no issue has", "DELETE stories/{story}", "stories/2"),
    Example("Delete a case without stories", "DELETE cases/{slug}", "cases/the-night-clinic"),
    Example("Delete an event", "DELETE events/{event}", "events/1"),
    Example("Delete an appeal", "DELETE appeals/{slug}", "appeals/keep-the-clinic-open-at-night"),
    Example("Delete a source", "DELETE sources/{source}", "sources/3"),
    Example("Delete a segment", "DELETE segments/{slug}", "segments/monthly-donors"),
)
ERRORS = (
    Example("A key in the address", "GET lists", "lists?key=nl_0123456789012345678901234567890123456789012"),
    Example("No key", "GET lists", "lists", headers={"authorization": "Bearer nl_wrong"}),
    Example("Another scope", "GET publications", "publications", headers={"scope": "people"}),
    Example("No such row", "GET lists/{slug}", "lists/daily"),
    Example("An unknown person", "GET people/{person}", "people/99"),
    Example("In use", "DELETE stories/{story}", "stories/1"),
    Example(
        "Changed meanwhile", "PATCH lists/{slug}", "lists/supporters", {"public": True}, {"if_match": '"an older ETag"'}
    ),
    Example("An invalid field", "POST topics", "topics", {"name": "", "colour": "red"}),
    Example("A cursor of another list", "GET topics", "topics?cursor=MTIz"),
    Example("No address", "POST people/find", "people/find", {"email": "nobody"}),
    Example(
        "The same Idempotency-Key with another body",
        "POST people",
        "people",
        {**TERMS, "email": "lee@example.org"},
        {"idempotency_key": "3f2b6a54-6c0e-4f0e-9a51-6a1f4d7f1f60"},
    ),
    Example("A file that was taken already", "GET exports/{export}/file", "exports/1/file"),
    Example("No JSON", "POST topics", "topics", lines="{"),
)


def run_examples() -> Iterator[tuple[Example, str, Any]]:
    """Run all examples, then the errors, and yield each with the path that was called and the answer."""
    with serve_site() as site:
        prepare(site)
        yield from _run(site)


def _run(site: Site) -> Iterator[tuple[Example, str, Any]]:
    key = create_key(" ".join(ApiScope.values), name="Donor database", calls_per_minute=1_000)
    narrow = create_key("people", name="Web site")
    for example in (*EXAMPLES, *ERRORS):
        method, headers, path = example.operation.split()[0], dict(example.headers), example.path
        if "{lifted}" in path:
            path = path.format(lifted=Suppression.objects.get(reason="staff").pk)
        if "{last_block}" in path:
            path = path.format(last_block=Issue.objects.get(pk=2).body[-1].id)
        if "{version}" in path:
            path = path.format(version=Variant.objects.filter(revision__issue=2).latest("pk").key)
        if example.operation == "GET exports/{export}/file" and example not in ERRORS:
            allow_export(
                request=ExportRequest.objects.get(),
                by=User.objects.create(username="kim", is_superuser=True),
                now=timezone.now(),
            )
        if example.operation in ("GET imports/{batch}", "GET imports"):
            process_pending_imports(clock=timezone.now)
        used = narrow if headers.pop("scope", "") else "" if "authorization" in headers else key
        body = example.body
        if isinstance(body, dict) and "{site}" in str(body.get("url", "")):
            body = {**body, "url": body["url"].format(site=site.url)}
        yield example, path, call(method, path, body, key=used, text=example.lines, **headers)
