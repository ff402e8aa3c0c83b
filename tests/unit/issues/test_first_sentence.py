"""The first visible sentence of a mail, and the line of the inbox: what is in this reader's mail, and nothing else."""

from dataclasses import replace

import pytest

from newsletter.issues.snapshot.drafted_subjects import draft_preheader
from newsletter.issues.snapshot.records.blocks import EventsBlock, LeadStoryBlock, StoriesBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.documents import make_document
from newsletter.issues.visible.nearby_events import EventSelection
from newsletter.issues.visible.visible_content import VisibleContent
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import render
from tests.support.content import make_content, make_event_record, make_story_record
from tests.support.mail_documents import visible_text

TITLES = {1: "A boat", 2: "The court", 3: "Fields {at} dawn", 4: "Wages paid"}
STORIES = {number: make_story_record(number, title=title, own_title=title) for number, title in TITLES.items()}
LEEDS, READING = make_event_record(title="Vigil in Leeds"), make_event_record(id=2, title="Walk in Reading")
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


def test_readers_with_a_lead_story_of_their_own_read_the_headlines_after_it() -> None:
    mail = show(DRAFTED, order=(3, 1, 2, 4))
    assert find_first_sentence(mail) == "A boat · The court · Wages paid"
    # In the inbox it is beside the subject, which names the lead story of the issue.
    assert mail.preheader == "The court · Fields {at} dawn · Wages paid"


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


def test_an_event_whose_title_is_part_of_a_shown_one_may_be_named() -> None:
    walk = replace(READING, title="Vigil")
    content = make_issue_content("The court, and the Vigil in Leeds")
    content = replace(
        content, blocks=(*content.blocks[:2], EventsBlock(key="events", heading="", events=(LEEDS, walk)))
    )
    visible = VisibleContent(language="en", events={"events": EventSelection(kind="near", events=(LEEDS,))}, appeals={})
    assert make_document(content, visible=visible, view_online="").preheader == "The court, and the Vigil in Leeds"
