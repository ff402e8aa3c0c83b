"""The year of each date in a mail: it is there unless the masthead has it."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from newsletter.issues.snapshot.records.blocks import CustomBlock, EventCardBlock, EventsBlock, LeadStoryBlock
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.variants.dates import find_sent_day
from newsletter.issues.variants.documents import make_document
from newsletter.issues.visible.nearby_events import EventSelection
from newsletter.issues.visible.visible_content import VisibleContent
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.phrases import PHRASES, format_day, get_babel_locale
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.support.content import make_content, make_event_record, make_story_record
from tests.support.mail_documents import visible_text

ROOT = Path(__file__).parents[3]
DATES_IN_A_MAIL = {
    "rendering/phrases.py": "the day of a timetable, of amounts, of a story, and the words of an event",
    "issues/variants/dates.py": "ranges of days, and the month of an event beside its chip",
    "issues/variants/documents.py": "the masthead's day, which has its year, and the chips, which have none",
    "issues/snapshot/drafted_subjects.py": "the month that a digest is about, which has its year",
    "issues/corrections/correction_texts.py": "the texts of a correction, without the year in which it is written",
    "issues/corrections/correct.py": "a notice to staff, which belongs to no issue",
}
DAYS_OF_BLOCKS = {
    "layouts/plain/progress.mjml.j2",
    "blocks/progress.mjml.j2",
    "blocks/progress.txt.j2",
    "blocks/timetable.mjml.j2",
    "blocks/timetable.txt.j2",
}
PROGRAMME: tuple[dict[str, str | PictureRecord | None], ...] = ({"time": "10:00", "what": "Tea", "detail": ""},)
SPRING, NEW_YEARS_EVE = datetime(2026, 3, 5, 9, tzinfo=UTC), datetime(2026, 12, 31, 9, tzinfo=UTC)


def show(
    day: date, *, due: datetime = SPRING, sent: datetime | None = None, layout: str = "letter", kind: str = "issue"
) -> RenderedMail:
    """Return a mail with each kind of date, all of this day."""
    event = make_event_record(starts_at=datetime(day.year, day.month, day.day, 18, 30, tzinfo=UTC))
    whole_day = make_event_record(id=2, title="Fast", all_day=True, day=day)
    content = make_content(
        LeadStoryBlock(key="lead", story=make_story_record(1, date=day)),
        EventsBlock(key="events", heading="", events=(event,)),
        EventCardBlock(key="card", events=(whole_day,), summary="", picture=None, button=""),
        CustomBlock(key="programme", type="timetable", values={
            "title": "Open day", "day": day.isoformat(), "items": PROGRAMME,
        }),
        CustomBlock(key="amounts", type="progress", values={
            "headline": "A boat", "raised": "10", "goal": "20", "currency": "GBP", "as_of": day.isoformat(),
        }),
    )  # fmt: skip
    content = replace(content, layout=layout, issue=replace(content.issue, due_at=due, kind=kind))
    visible = VisibleContent(
        language="en", events={"events": EventSelection(kind="near", events=(event,))}, appeals={},
        sent_on=find_sent_day(content, at=sent) if sent else None,
    )  # fmt: skip
    return render(make_document(content, visible=visible, view_online=""))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_date_of_the_year_of_the_issue_has_it(layout: str) -> None:
    mail = show(date(2026, 12, 12), layout=layout)
    for part in (mail.html, mail.text):
        # An event notice has the day in its sheet; the other dates are in words.
        assert part.count("12 December") >= 3
        assert part.count("2026") == part.count("5 March 2026") == 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_date_of_another_year_has_its_year(layout: str) -> None:
    mail = show(date(2027, 1, 9), layout=layout)
    assert mail.text.count("9 January 2027") == mail.text.count("9 January") == 5
    assert not re.search(r"January(?! 2027)", visible_text(mail.html))
    assert not re.search(r"January(?! 2027)", mail.html)


@pytest.mark.parametrize("kind", ["digest", "welcome", "correction"])
@pytest.mark.parametrize("day", [date(2026, 12, 12), date(2027, 1, 9)], ids=str)
def test_each_date_has_its_year_in_a_mail_without_a_day(kind: str, day: date) -> None:
    mail = show(day, kind=kind)
    assert mail.text.count(f"{day:%B} {day.year}") == mail.text.count(f"{day:%B}") == 5
    assert not re.search(rf"{day:%B}(?! {day.year})", mail.html)


@pytest.mark.parametrize("day", [date(2026, 12, 31), date(2027, 1, 9)], ids=str)
def test_each_date_has_its_year_in_a_mail_of_the_year_after(day: date) -> None:
    sent = show(day, due=NEW_YEARS_EVE, sent=datetime(2027, 2, 5, 9, tzinfo=UTC))
    assert "5 February 2027" in sent.text
    assert sent.text.count(f"{day:%B} {day.year}") == sent.text.count(f"{day:%B}") == 5
    assert not re.search(rf"{day:%B}(?! {day.year})", sent.html)


def test_dates_stay_as_approved_if_the_mail_is_sent_the_same_year() -> None:
    day = date(2026, 12, 12)
    approved, sent = show(day), show(day, sent=datetime(2026, 3, 7, 9, tzinfo=UTC))
    assert "5 March 2026" in approved.text
    assert approved.text.replace("5 March 2026", "7 March 2026") == sent.text
    assert approved.html.replace("5 March 2026", "7 March 2026") == sent.html


def test_the_city_of_a_known_clock_is_left_out_beside_a_year() -> None:
    assert "(London)" not in show(date(2026, 12, 12), kind="digest").text


def test_the_year_of_a_mail_is_that_of_its_day_in_the_publications_zone() -> None:
    midnight = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    event = make_event_record(all_day=True, day=date(2027, 1, 9))
    content = make_content(
        EventCardBlock(key="card", events=(event,), summary="", picture=None, button=""), zone="Europe/Paris"
    )
    content = replace(content, issue=replace(content.issue, due_at=midnight))
    visible = VisibleContent(language="en", events={}, appeals={})
    text = render(make_document(content, visible=visible, view_online="")).text
    assert "When: Saturday, 9 January\n" in text


@pytest.mark.parametrize("language", sorted(PHRASES))
def test_a_day_leaves_out_its_year_in_every_language(language: str) -> None:
    day, locale = date(2026, 11, 24), get_babel_locale(language)
    for with_weekday in (False, True):
        known, another, unknown = (
            format_day(day, locale=locale, year=year, with_weekday=with_weekday) for year in (2026, 2025, None)
        )
        assert another == unknown
        years = re.compile("2026|٢٠٢٦|२०२६")
        assert years.search(another)
        assert not years.search(known)
        assert re.search("24|٢٤|२४", known)
        assert known == known.strip(" ,")


def test_days_are_written_in_words() -> None:
    day = date(2026, 11, 24)
    assert format_day(day, locale="es", year=2025) == "24 de noviembre de 2026"
    assert format_day(day, locale="es", year=2026) == "24 de noviembre"
    assert format_day(day, locale="fr", year=2025, with_weekday=True) == "mardi 24 novembre 2026"
    assert format_day(day, locale="fr", year=2026, with_weekday=True) == "mardi 24 novembre"


def test_the_places_that_write_dates_of_mails_are_known() -> None:
    """A new one keeps the rule of this module; then it is added above."""
    package = ROOT / "newsletter"
    modules = {
        path.relative_to(package).as_posix()
        for folder in ("rendering", "issues", "sending")
        for path in (package / folder).rglob("*.py")
        if re.search(r"from babel\.dates import|import format_event_time|strftime|date_format", path.read_text())
    }
    assert modules == DATES_IN_A_MAIL.keys()
    templates = ROOT / "templates/email"
    days = {
        path.relative_to(templates).as_posix()
        for path in templates.rglob("*.j2")
        if re.search(r"\|\s*day\b", path.read_text())
    }
    assert days == DAYS_OF_BLOCKS
