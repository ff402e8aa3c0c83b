"""Turn an issue's content into the document of one variant, with the texts and dates for its readers.

This is the one place where the snapshot's records become rendering's. No database.
"""

from dataclasses import replace
from datetime import date
from urllib.parse import quote

from babel.dates import format_date
from babel.units import format_unit

from newsletter.content.parsing.markup import paragraph_text
from newsletter.issues.snapshot.records import blocks as records
from newsletter.issues.snapshot.records.content import BrandRecord, IssueContent, name_row
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.issues.snapshot.redact import LEAD_SUFFIX, has_only_headlines, list_other_headlines
from newsletter.issues.variants.dates import find_due_day, find_first_day, format_event_hours, format_event_time
from newsletter.issues.variants.mail_links import FOOTER, make_campaign, name_blocks
from newsletter.issues.variants.subject_assignment import with_subject
from newsletter.issues.visible.block_choices import find_own_country
from newsletter.issues.visible.event_locations import add_town, describe_location_for_readers
from newsletter.issues.visible.nearby_events import CLOSE_KM, EventSelection, list_abroad
from newsletter.issues.visible.visible_content import VisibleContent, filter_visible
from newsletter.rendering import blocks as mail
from newsletter.rendering.phrases import (
    NO_YEAR,
    find_phrase,
    find_phrase_of_list,
    find_text_direction,
    format_day,
    get_babel_locale,
    reader_text,
)

_STORIES: dict[str, type[mail.StoryCards]] = {"cards": mail.StoryCards, "rows": mail.StoryRows, "list": mail.StoryList}
_MAP = "https://www.openstreetmap.org/search?query="


def make_document(content: IssueContent, *, visible: VisibleContent, view_online: str) -> mail.Document:
    """Return the document that rendering takes. ``view_online`` is the address of this variant on the web, or ""."""
    content = content.in_language(visible.language)
    publication, language = content.publication, visible.language
    campaign, names = make_campaign(content), name_blocks(content.blocks)
    content = with_subject(content, arm=visible.arm)
    whole = content
    content = filter_visible(content, visible=visible, only_events_subject=find_phrase("events_near", language))
    blocks = (
        campaign.tag(
            _make_block_in_language(block, content, visible),
            content=names.get(block.key.removesuffix(LEAD_SUFFIX), FOOTER),
        )
        for block in content.blocks
    )
    return mail.Document(
        subject=content.subject,
        preheader=content.preheader,
        language=language,
        direction=find_text_direction(language),
        brand=campaign.tag(_make_brand(content.brand), content=FOOTER),
        blocks=tuple(block for block in blocks if block is not None),
        publication=publication.name,
        reason=find_phrase_of_list(
            "why_you_get_this", language, list_name=publication.list_name, organisation=content.brand.name
        ),
        urls={"view_online": view_online},
        layout=content.layout,
        headline=content.headline,
        edition=_format_edition_date(content, language, sent_on=visible.sent_on),
        year=_find_known_year(content, visible),
        summary=_choose_summary(whole=whole, visible_content=content, visible=visible),
    )


def _choose_summary(*, whole: IssueContent, visible_content: IssueContent, visible: VisibleContent) -> str | None:
    """Return the first visible sentence for readers who get another lead story than the issue: the other headlines.

    Return None if the preheader can be that sentence: the stories have the order of the issue, or it names no headlines.
    """
    is_own = bool(visible.order) and not visible.only_events
    return (
        list_other_headlines(visible_content) if is_own and has_only_headlines(whole.preheader, content=whole) else None
    )


def _make_block_in_language(block: records.Block, content: IssueContent, visible: VisibleContent) -> mail.Block | None:
    made, language = _make_block(block, content, visible), content.find_language(block.key)
    return replace(made, language=language) if made is not None and language else made


def _make_block(block: records.Block, content: IssueContent, visible: VisibleContent) -> mail.Block | None:
    key = block.key
    match block:
        case records.NoteBlock():
            return mail.Note(body_html=block.html, body_text=paragraph_text(block.html), heading=block.heading, key=key)
        case records.LeadStoryBlock():
            return mail.LeadStory(story=_make_story(block.story, content, visible), key=key)
        case records.StoriesBlock():
            stories = tuple(_make_story(story, content, visible) for story in block.stories)
            return _STORIES[block.look](stories=stories, heading=block.heading, key=key) if stories else None
        case records.EventsBlock():
            return _make_events(block, content, visible)
        case records.EventCardBlock():
            return _make_event_card(block, content, visible)
        case records.AppealsBlock():
            appeal = visible.appeals[key]
            if appeal is None:
                return None
            return mail.AppealBlock(
                headline=appeal.headline,
                text=appeal.text,
                url=appeal.url,
                button=appeal.button,
                key=key,
                language=content.find_language(name_row("appeal", appeal.id)),
            )
        case records.RelatedBlock():
            return mail.Related(links=block.links, heading=block.heading, key=key)
        case records.QuoteBlock():
            return mail.Quote(text=block.text, who=block.who, notes=block.notes, key=key)
        case records.PictureBlock():
            return mail.ImageBlock(picture=_make_picture(block.picture), caption=block.caption, url=block.url, key=key)
        case records.ButtonBlock():
            return mail.Button(label=block.label, url=block.url, key=key)
        case records.DividerBlock():
            return mail.Divider(look=block.look, key=key)
        case records.CustomBlock():
            values = {name: _make_custom_value(value) for name, value in block.values.items()}
            return mail.SchemaBlock(block.type, values, key=key)


def _make_custom_value(value: records.CustomValue | records.CustomRow) -> object:
    """Return a value in the form that rendering's `SchemaBlock` has."""
    match value:
        case PictureRecord():
            return _make_picture(value)
        case records.RichText():
            return {"html": value.html, "text": value.text}
        case dict():
            return {name: _make_custom_value(part) for name, part in value.items()}
        case tuple():
            return tuple(_make_custom_value(item) for item in value)
        case _:
            return value


def _find_known_year(content: IssueContent, visible: VisibleContent) -> int:
    """Return the year that no date in the mail repeats, because the masthead has it; NO_YEAR if each date needs its own.

    Digests, welcome mails and corrections have no day in the masthead. A mail that is sent in another year than the one in
    which it was due has dates of both.
    """
    due = find_due_day(content)
    is_known = content.issue.kind == "issue" and (visible.sent_on is None or visible.sent_on.year == due.year)
    return due.year if is_known else NO_YEAR


def _format_edition_date(content: IssueContent, language: str, *, sent_on: date | None) -> str:
    """Return the day on which an issue is sent, or is due while it is not sent; "" for digests and corrections."""
    if content.issue.kind != "issue":
        return ""
    return format_date(sent_on or find_due_day(content), format="long", locale=get_babel_locale(language))


def _make_story(story: StoryRecord, content: IssueContent, visible: VisibleContent) -> mail.StoryItem:
    language = visible.language
    return mail.StoryItem(
        title=story.title,
        url=story.url,
        teaser=story.intro if story.is_whole else story.teaser,
        picture=make_optional_picture(story.picture),
        topic=story.topic,
        date=_format_story_date(story.date, content, visible) if story.date else "",
        notes=story.notes,
        case=story.case.slug if story.case else "",
        follows_case=story.case in visible.followed,
        text=story.text if story.is_whole else "",
        recording=_describe_recording(story, language),
        language=content.find_language(name_row("story", story.id)),
    )


def _format_story_date(day: date, content: IssueContent, visible: VisibleContent) -> str:
    return format_day(day, locale=get_babel_locale(visible.language), year=_find_known_year(content, visible))


def _describe_recording(story: StoryRecord, language: str) -> str:
    """Return “Video, 12 min” for a recording, without minutes if its length is not known, and "" for a text."""
    if not story.media:
        return ""
    if not story.seconds:
        return find_phrase(story.media, language)
    return find_phrase(f"{story.media}_minutes", language, minutes=str(max(1, round(story.seconds / 60))))


def _make_events(block: records.EventsBlock, content: IssueContent, visible: VisibleContent) -> mail.Events | None:
    chosen, language = visible.events[block.key], visible.language
    if chosen.kind == "nothing" or (chosen.kind == "all" and not chosen.events):
        return None
    items = [
        replace(
            _make_event(event, content, visible, abroad=event.id in chosen.abroad),
            distance=_format_distance(language) if event.id in chosen.close else "",
        )
        for event in chosen.events
    ]
    own_heading = block.heading if chosen.kind in ("near", "all") else ""
    return mail.Events(
        events=tuple(items),
        heading=own_heading or _choose_heading(chosen, language),
        kind="near" if chosen.kind == "all" else chosen.kind,
        host_url=content.publication.host_url,
        key=block.key,
    )


def _format_distance(language: str) -> str:
    distance = format_unit(CLOSE_KM, "kilometer", length="short", locale=get_babel_locale(language))
    return find_phrase("distance_within", language, distance=distance)


def _choose_heading(chosen: EventSelection, language: str) -> str:
    return reader_text("events", language) if chosen.kind == "all" else find_phrase(f"events_{chosen.kind}", language)


def _make_event_card(block: records.EventCardBlock, content: IssueContent, visible: VisibleContent) -> mail.EventCard:
    event = block.events[0]
    abroad = list_abroad([event], country=find_own_country(content))
    return mail.EventCard(
        event=replace(
            _make_event(event, content, visible, abroad=bool(abroad)),
            summary=block.summary,
            picture=make_optional_picture(block.picture),
            map_url="" if event.online or not event.location else _MAP + quote(_name_on_map(event, visible.language)),
        ),
        button=block.button,
        key=block.key,
    )


def _name_on_map(event: EventRecord, language: str) -> str:
    return add_town(event.location, event, language=language)


def _make_event(event: EventRecord, content: IssueContent, visible: VisibleContent, *, abroad: bool) -> mail.EventItem:
    language, default_zone = visible.language, content.publication.zone
    locale = get_babel_locale(language)
    day, year = find_first_day(event, default_zone=default_zone), _find_known_year(content, visible)
    return mail.EventItem(
        title=event.title,
        url=event.url,
        when=format_event_time(event, locale=locale, default_zone=default_zone, year=year),
        day=str(day.day),
        month=format_date(day, format="MMM", locale=locale),
        where=describe_location_for_readers(event, language=language, abroad=abroad),
        online=event.online,
        weekday=format_date(day, format="EEE", locale=locale),
        hours=format_event_hours(event, locale=locale, default_zone=default_zone, year=year),
        calendar_url=f"{event.calendar_url}?lang={language}" if event.calendar_url else "",
        language=content.find_language(name_row("event", event.id)),
    )


def _make_brand(brand: BrandRecord) -> mail.Brand:
    return mail.Brand(
        name=brand.name,
        postal_address=brand.postal_address,
        website=brand.website,
        logo=make_optional_picture(brand.logo),
        logo_dark=make_optional_picture(brand.logo_dark),
        colour=brand.colour,
        accent=brand.accent,
        background=brand.background,
        font=brand.font,
        donate_url=brand.donate_url,
        donor_portal_url=brand.donor_portal_url,
        social=brand.social,
        heading_font=brand.heading_font,
        radius=brand.radius,
        masthead=brand.masthead,
        text_links=brand.text_links,
        icons_url=brand.icons_url,
    )


def _make_picture(picture: PictureRecord) -> mail.Picture:
    return mail.Picture(
        url=picture.url,
        width=picture.width,
        height=picture.height,
        alt=picture.alt,
        weight=picture.weight,
        colour=picture.colour or "",
    )


def make_optional_picture(picture: PictureRecord | None) -> mail.Picture | None:
    return _make_picture(picture) if picture else None
