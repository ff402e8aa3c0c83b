"""The first visible sentence of a mail, and the line of the inbox: what is in this reader's mail, and nothing else."""

from dataclasses import replace

import pytest

from newsletter.issues.snapshot.drafted_subjects import draft_preheader
from newsletter.issues.snapshot.records.blocks import EventsBlock, LeadStoryBlock, StoriesBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.redact import has_only_headlines
from newsletter.issues.variants.documents import make_document
from newsletter.issues.visible.nearby_events import EventSelection
from newsletter.issues.visible.visible_content import VisibleContent, filter_visible
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import render
from tests.support.content import make_content, make_event_record, make_story_record
from tests.support.mail_documents import visible_text

TITLES = {1: "A boat", 2: "The court", 3: "Fields {at} dawn", 4: "Wages paid"}
STORIES = {number: make_story_record(number, title=title, own_title=title) for number, title in TITLES.items()}
LEEDS, READING = make_event_record(title="Vigil in Leeds"), make_event_record(id=2, title="Walk in Reading")
LEAD = replace(STORIES[1], teaser="It crossed the bay.")
DRAFTED = draft_preheader(list(STORIES.values()))


def make_issue_content(preheader: str) -> IssueContent:
    blocks = (
        LeadStoryBlock(key="lead", story=STORIES[1]),
        StoriesBlock(key="more", heading="", stories=(STORIES[2], STORIES[3], STORIES[4])),
        EventsBlock(key="events", heading="", events=(LEEDS, READING)),
    )
    return replace(make_content(*blocks), preheader=preheader)


def show(preheader: str, **choices: object) -> RenderedMail:
    """Return the mail of a reader who lives near Leeds."""
    visible = VisibleContent(language="en", events={"events": EventSelection(kind="near", events=(LEEDS,))}, appeals={})
    made = make_document(make_issue_content(preheader), visible=replace(visible, **choices), view_online="")  # type: ignore[arg-type]
    return render(made)


def find_first_sentence(mail: RenderedMail) -> str:
    """Return what is between the day and the first title, in both parts of the mail."""
    lead = min(
        (title for title in TITLES.values() if f"\n{title}\n" in mail.text),
        key=lambda title: mail.text.index(f"\n{title}\n"),
    )
    written = " ".join(mail.text.partition("5 March 2026")[2].partition(f"\n{lead}\n")[0].split())
    seen = visible_text(mail.html).partition("5 March 2026 ")[2]
    assert seen.startswith(f"{written} {lead}".strip())
    return written


def test_the_first_sentence_has_the_headlines_below_the_lead_story() -> None:
    mail = show(DRAFTED)
    assert find_first_sentence(mail) == mail.preheader == "The court · Fields {at} dawn · Wages paid"


def test_readers_with_their_own_lead_story_read_the_headlines_after_it() -> None:
    mail = show(DRAFTED, order=(3, 1, 2, 4))
    assert find_first_sentence(mail) == "A boat · The court · Wages paid"
    # In the inbox it is beside the subject, which names the lead story of the issue.
    assert mail.preheader == "The court · Fields {at} dawn · Wages paid"


def test_they_do_so_too_if_staff_moved_stories_after_the_draft() -> None:
    mail = show("Fields {at} dawn · Wages paid · A boat", order=(3, 1, 2, 4))
    assert find_first_sentence(mail) == "A boat · The court · Wages paid"


def test_a_preheader_of_headlines_differs_from_a_sentence() -> None:
    content = make_issue_content("")
    long = replace(content, blocks=(LeadStoryBlock(key="lead", story=replace(STORIES[1], title="Boats " * 30)),))
    assert has_only_headlines(
        draft_preheader([STORIES[2], *long.stories]),
        content=replace(content, blocks=(*long.blocks, *content.blocks[1:])),
    )
    for text in ("", "…", "The court", "The court · Wages paid", "Wages paid · A b…"):
        assert has_only_headlines(text, content=content) == (text not in ("", "…")), text
    for text in ("The court decided", "The court · Help", "The court, and Wages paid", "The courtyard · A boat"):
        assert not has_only_headlines(text, content=content), text


LONG = [f"The {word} court hears the families of the fishing villages" for word in ("first", "second", "third")]


@pytest.mark.parametrize(
    ("titles", "drafted"),
    [
        ([LONG[0], "A short one", LONG[1]], f"{LONG[0]} · A short one"),
        ([LONG[0], LONG[1], "A short one"], LONG[0]),
        ([LONG[0][:43], LONG[1][:54], LONG[2]], f"{LONG[0][:43]} · {LONG[1][:54]}"),
        ([f"{LONG[0]} and {LONG[1]}", "A short one"], f"{LONG[0]} and The second court hears the families…"),
        (["  A short\n one ", "", "Another"], "A short one · Another"),
    ],
)
def test_a_drafted_preheader_cuts_only_a_single_headline(titles: list[str], drafted: str) -> None:
    others = [replace(STORIES[2], title=title) for title in titles]
    assert draft_preheader([STORIES[1], *others]) == drafted
    assert len(drafted) <= 100


def test_events_in_a_preheader_are_not_cut() -> None:
    events = tuple(replace(LEEDS, id=number, title=title) for number, title in enumerate(LONG))
    content = replace(make_content(EventsBlock(key="events", heading="", events=(*events, READING))), preheader="")
    visible = VisibleContent(language="en", events={"events": EventSelection(kind="near", events=events)}, appeals={})
    only_events = filter_visible(content, visible=replace(visible, only_events=True), only_events_subject="Near you")
    assert only_events.preheader == LONG[1]
    named = replace(content, preheader="Join the Walk in Reading")
    assert filter_visible(named, visible=visible, only_events_subject="Near you").preheader == LONG[0]


def test_a_sentence_by_staff_stays_whatever_story_leads() -> None:
    mail = show("Four stories, and a way to help", order=(3, 1, 2, 4))
    assert find_first_sentence(mail) == mail.preheader == "Four stories, and a way to help"


def test_a_story_that_a_reader_does_not_get_is_not_in_the_first_sentence() -> None:
    mail = show("A boat · Wages paid", hidden=(1,))
    assert find_first_sentence(mail) == mail.preheader == "Fields {at} dawn · Wages paid"
    assert find_first_sentence(show(DRAFTED, order=(3, 1, 2, 4), hidden=(2,))) == "A boat · Wages paid"


@pytest.mark.parametrize(
    ("preheader", "shown"),
    [
        ("The court, and Vigil in Leeds", "The court, and Vigil in Leeds"),
        ("The court, and Walk in Reading", "The court · Fields {at} dawn · Wages paid"),
        ("The court, and a walk", "The court, and a walk"),
    ],
)
def test_an_event_that_a_reader_does_not_get_is_not_in_the_first_sentence(preheader: str, shown: str) -> None:
    mail = show(preheader)
    assert find_first_sentence(mail) == mail.preheader == shown


def show_preheader(preheader: str, *, lacks: str, shows: str = LEEDS.title, stories: int = 4) -> str:
    """Return the preheader of a mail that shows one event and lacks another."""
    shown, missing = replace(LEEDS, title=shows), replace(READING, title=lacks)
    others = tuple(STORIES[number] for number in range(2, stories + 1))
    blocks = [
        *([LeadStoryBlock(key="lead", story=LEAD)] if stories else []),
        *([StoriesBlock(key="more", heading="", stories=others)] if others else []),
        EventsBlock(key="events", heading="", events=(shown, missing)),
    ]
    content = replace(make_content(*blocks), preheader=preheader)
    visible = VisibleContent(language="en", events={"events": EventSelection(kind="near", events=(shown,))}, appeals={})
    return make_document(content, visible=visible, view_online="").preheader


@pytest.mark.parametrize(
    ("preheader", "lacks", "shows"),
    [
        ("The court, and the Vigil in Leeds", "Vigil", "Vigil in Leeds"),
        ("The court, and the Vigil in Leeds at dusk", "Vigil in Leeds", "Vigil in Leeds at dusk"),
        ("The long vigil by the river in Leeds", "The long vigil by the river in Hull", "The long vigil by the river in Leeds"),
        ("Twelve of you wrote to the court in March. Thank you", "March", "Vigil"),
        ("Open Workshops that teach 400 people to swim", "Open Workshop", "Vigil"),
    ],
)  # fmt: skip
def test_a_sentence_that_names_no_missing_event_stays(preheader: str, lacks: str, shows: str) -> None:
    assert show_preheader(preheader, lacks=lacks, shows=shows) == preheader


def test_a_missing_event_named_beside_a_shown_one_is_found() -> None:
    named = "Vigil in Leeds at dusk, and Vigil in Leeds"
    assert show_preheader(named, lacks="Vigil in Leeds", shows="Vigil in Leeds at dusk") == DRAFTED


def test_a_preheader_is_never_replaced_by_nothing() -> None:
    named = "Join the Walk in Reading"
    assert show_preheader(named, lacks="Walk in Reading", stories=1) == LEAD.teaser
    assert show_preheader(named, lacks="Walk in Reading", stories=0) == LEEDS.title
