"""Resolve an issue to its content, from the rows as they are now. Times are in UTC.

Nothing in the content can change later. People approve its hash.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.utils import timezone
from wagtail.blocks import StructValue
from wagtail.blocks.stream_block import StreamValue

from newsletter.common.database.one_reading import read_once
from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.content.images.renditions import make_rendition
from newsletter.issues.snapshot.consent_rules import EMAIL
from newsletter.issues.snapshot.content_links import find_related_links, find_restricted_links
from newsletter.issues.snapshot.filled_blocks import FILLED_BLOCKS, fill_block
from newsletter.issues.snapshot.incomplete_parts import find_incomplete_parts
from newsletter.issues.snapshot.records.blocks import Block, is_filled_by_rule, list_stories
from newsletter.issues.snapshot.records.content import (
    AnnouncedEvent,
    BrandRecord,
    IssueContent,
    IssueRecord,
    PublicationRecord,
    SubjectChoice,
    SubjectTestRecord,
    hash_content,
)
from newsletter.issues.snapshot.records.fields import PictureRecord, to_json
from newsletter.issues.snapshot.redact import deduplicate_stories, remove_stories
from newsletter.issues.snapshot.resolve_blocks import resolve_block, resolve_event
from newsletter.issues.snapshot.resolve_stories import IssueContext, link_own_pages, resolve_picture
from newsletter.issues.snapshot.show_rules import resolve_show_rules
from newsletter.issues.snapshot.versions import remove_appeals_in_other_languages, resolve_versions
from newsletter.models import Brand, Issue, Picture, Publication, Story, SubjectTest

ICONS_PATH = "/m/icons"
LAYOUTS = {"digest": "digest", "correction": "event_notice", "welcome": "letter"}
"""The layouts of issues outside the schedule, if staff chose none."""
_FOR_EVERYBODY = (Issue.Kind.CORRECTION, Issue.Kind.WELCOME)
"""The topics of readers do not count in them."""
_ANY_DAY = datetime(1970, 1, 1, tzinfo=UTC)


def resolve_complete_content(issue: Issue) -> IssueContent:
    """Return the issue's content. Raise NotReady, with a line for each part that is not complete."""
    return read_once("complete content", lambda: _resolve_if_complete(issue), issue)


def _resolve_if_complete(issue: Issue) -> IssueContent:
    gaps = find_incomplete_parts(issue)
    if gaps:
        raise NotReady(Message.joined((gap.message for gap in gaps), between="\n"))
    return resolve_content(issue)


def resolve_content(issue: Issue) -> IssueContent:
    """Return the issue's content from the rows as they are now, without blocks that are unfinished."""
    content = resolve_untranslated_content(issue)
    versions = resolve_versions(content, issue=issue)
    content = remove_appeals_in_other_languages(content, issue=issue)
    content = link_own_pages(replace(content, versions=versions), issue=issue)
    return _remove_restricted_links(replace(content, subject_test=_resolve_subject_test(issue)))


def resolve_untranslated_content(issue: Issue) -> IssueContent:
    """Return the content in the publication's language, with the appeals of every language, before links are checked."""
    unfinished = {part.key for part in find_incomplete_parts(issue)}
    now, due_at = timezone.now(), _find_due(issue)
    context = IssueContext(
        language=issue.publication.language,
        due_on=due_at.astimezone(ZoneInfo(issue.publication.zone)).date(),
        publication_id=issue.publication_id,
        by_interests=issue.publication.interests != Publication.Interests.OFF and issue.kind not in _FOR_EVERYBODY,
        with_cases=issue.kind not in _FOR_EVERYBODY and _has_case(issue),
    )
    resolved = (
        _resolve_or_fill(child, issue=issue, key=child.id or f"{child.block_type}-{index}", context=context, now=now)
        for index, child in enumerate(issue.body)
        if (child.id or "") not in unfinished
    )
    blocks = [block for part in resolved for block in part]
    return IssueContent(
        issue=_resolve_issue(issue),
        subject=issue.subject,
        preheader=issue.preheader,
        layout=str(issue.layout or LAYOUTS.get(issue.kind) or issue.publication.layout),
        headline=issue.headline,
        publication=_resolve_publication(issue.publication),
        brand=_resolve_brand(issue.publication.brand),
        blocks=tuple(deduplicate_stories(blocks, originals=_find_originals(blocks))),
    )


def _resolve_subject_test(issue: Issue) -> SubjectTestRecord | None:
    test = SubjectTest.objects.filter(issue=issue).first() if issue.pk else None
    if test is None:
        return None
    return SubjectTestRecord(
        subjects=tuple(SubjectChoice(**subject) for subject in test.subjects),
        share_percent=test.share_percent,
        wait_hours=test.wait_hours,
        seed=test.seed,
    )


def _resolve_or_fill(
    child: StreamValue.StreamChild, *, issue: Issue, key: str, context: IssueContext, now: datetime
) -> list[Block]:
    if child.block_type in FILLED_BLOCKS:
        return fill_block(child.block_type, child.value, issue=issue, key=key, context=context, now=now)
    block = resolve_block(child.block_type, child.value, key=key, context=context)
    return [block] if block else []


def _find_due(issue: Issue) -> datetime:
    """Return when the issue is sent, or was made if no time is planned. A welcome mail is sent every day: today."""
    if issue.is_welcome:
        return datetime.combine(timezone.now().astimezone(UTC), time(), UTC)
    return issue.due_at or issue.made_at


def _has_case(issue: Issue) -> bool:
    chosen: list[StructValue] = []
    for child in issue.body:
        if child.block_type in ("lead_story", "stories"):
            chosen += [child.value] if child.block_type == "lead_story" else child.value["stories"]
    return any(choice["story"] and choice["story"].case_id for choice in chosen)


def hash_approved_content(content: IssueContent) -> str:
    """Return the hash that people approve: that of the content without what rules fill in, but with these rules."""
    return hash_content(remove_filled_blocks(content))


def remove_filled_blocks(content: IssueContent) -> IssueContent:
    """Return a welcome mail without the blocks that a rule filled, and without its day. Other content is returned as it is."""
    if not content.issue.is_welcome:
        return content
    blocks = tuple(block for block in content.blocks if not is_filled_by_rule(block))
    usual = replace(content, issue=replace(content.issue, due_at=_ANY_DAY), blocks=blocks, versions=(), untranslated=())
    versions = (remove_filled_blocks(version) for version in content.versions)
    return replace(usual, versions=tuple(version for version in versions if not _says_the_same(version, usual)))


def _says_the_same(version: IssueContent, usual: IssueContent) -> bool:
    """Return True if only content that a rule filled in is translated."""
    return replace(version, publication=usual.publication, translated_from="") == usual


def _find_originals(blocks: Iterable[Block]) -> dict[int, int]:
    """Return the id of the original of each story that is a translation."""
    ids = {story.id for block in blocks for story in list_stories(block)}
    rows = Story.objects.filter(pk__in=ids, translation_of__isnull=False)
    return {pk: original for pk, original in rows.values_list("pk", "translation_of") if original}


def _resolve_issue(issue: Issue) -> IssueRecord:
    return IssueRecord(
        kind=issue.kind,
        reference=issue.reference,
        public_id=issue.public_id,
        due_at=_find_due(issue),
        filled=tuple(_list_rules(issue)),
        announces=_resolve_announced_event(issue),
    )


def _list_rules(issue: Issue) -> Iterator[str]:
    before = ""
    for child in issue.body:
        if child.block_type in FILLED_BLOCKS:
            rules = [to_json(rule) for rule in resolve_show_rules(child.value.get("show_to"))]
            words = orjson.dumps([child.value.get("heading", ""), rules], option=orjson.OPT_SORT_KEYS).decode()
            yield f"{child.block_type} {child.id} after {before}: {words}"
        before = str(child.id)


def _resolve_announced_event(issue: Issue) -> AnnouncedEvent | None:
    """Return the announcement of a correction, with the event as it is now: any change of it voids the approval."""
    correction = getattr(issue, "correction", None) if issue.kind == Issue.Kind.CORRECTION else None
    if correction is None or correction.event is None:
        return None
    return AnnouncedEvent(fingerprint=correction.fingerprint, event=resolve_event(correction.event))


def _resolve_publication(publication: Publication) -> PublicationRecord:
    by_interests = publication.interests != Publication.Interests.OFF
    return PublicationRecord(
        slug=publication.slug,
        name=publication.name,
        language=publication.language,
        from_name=publication.from_name,
        from_email=publication.from_email,
        reply_to=publication.reply_to,
        list_name=publication.mailing_list.public_name,
        list_id=publication.mailing_list.public_id,
        max_events=publication.events,
        radius_km=publication.radius_km,
        host_url=publication.host_url,
        zone=publication.zone,
        consent_required=publication.consent_required,
        clicks=publication.clicks,
        interests=publication.interests,
        topic_ids=tuple(sorted(topic.pk for topic in publication.topics.all())) if by_interests else (),
        pinned_lead=publication.pinned_lead and by_interests,
        languages=tuple(publication.languages),
        max_variants=publication.max_variants,
    )


def _resolve_brand(brand: Brand) -> BrandRecord:
    return BrandRecord(
        name=brand.name,
        logo=resolve_logo(brand.logo, alt=brand.name),
        logo_dark=resolve_logo(brand.logo_dark, alt=brand.name),
        colour=brand.colour,
        accent=brand.accent,
        background=brand.background,
        font=brand.font,
        heading_font=brand.heading_font,
        radius=brand.radius,
        masthead=brand.masthead,
        icons_url=f"{settings.NEWSLETTER_SITE_URL}{ICONS_PATH}",
        postal_address=brand.postal_address,
        website=brand.website,
        donate_url=brand.donate_url,
        donor_portal_url=brand.donor_portal_url,
        social=tuple(sorted(brand.social.items())),
        gift_hosts=tuple(sorted(brand.gift_hosts)),
        text_links=brand.text_links,
    )


def resolve_logo(logo: Picture | None, *, alt: str) -> PictureRecord | None:
    """Return a brand's logo as mails show it."""
    return resolve_picture(make_rendition(logo, format_name="logo"), alt=alt) if logo else None


def _remove_restricted_links(content: IssueContent) -> IssueContent:
    """Remove further reading about stories that may not be shown when the issue is due."""
    restricted = find_restricted_links(
        list(find_related_links(content)),
        channel=EMAIL,
        at=content.issue.due_at,
        required=content.publication.consent_required,
    )
    return remove_stories(content, stories=restricted)
