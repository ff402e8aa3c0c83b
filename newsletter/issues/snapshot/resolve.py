"""Resolve an issue to its content, from the rows as they are now. Times are in UTC.

Nothing in the content can change later. Its hash is what people approve.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from django.conf import settings

from newsletter.content.images.renditions import make_rendition
from newsletter.issues.snapshot.consent_rules import EMAIL
from newsletter.issues.snapshot.records.blocks import Block, StoriesBlock, list_stories
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.records.publication import (
    AnnouncedEvent,
    BrandRecord,
    IssueRecord,
    PublicationRecord,
)
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.related_links import find_related_links, find_restricted_links
from newsletter.issues.snapshot.resolve_blocks import resolve_block, resolve_event, resolve_picture
from newsletter.models import Brand, Issue, Picture, Publication

LAYOUTS = {"digest": "digest", "correction": "event_notice"}
"""The layouts of issues outside the schedule, if staff chose none."""


def resolve_content(issue: Issue) -> IssueContent:
    """Return the issue's content from the rows as they are now."""
    blocks = (
        resolve_block(child.block_type, child.value, key=child.id or f"{child.block_type}-{index}")
        for index, child in enumerate(issue.body)
    )
    content = IssueContent(
        issue=_resolve_issue(issue),
        subject=issue.subject,
        preheader=issue.preheader,
        layout=str(issue.layout or LAYOUTS.get(issue.kind) or issue.publication.layout),
        headline=issue.headline,
        publication=_resolve_publication(issue.publication),
        brand=_resolve_brand(issue.publication.brand),
        blocks=tuple(_deduplicate_stories(block for block in blocks if block is not None)),
    )
    return _remove_restricted_links(content)


def hash_content(content: IssueContent) -> str:
    """Return the sha256 of the content's canonical JSON, in hexadecimal. People approve this hash."""
    return hashlib.sha256(content.to_bytes()).hexdigest()


def _deduplicate_stories(blocks: Iterable[Block]) -> list[Block]:
    """Keep each story only where it comes first. Remove a block that has no other story."""
    seen: set[int] = set()
    kept: list[Block] = []
    for block in blocks:
        stories = list_stories(block)
        new = {story.id: story for story in stories if story.id not in seen}
        seen.update(new)
        if len(new) == len(stories):
            kept.append(block)
        elif new and isinstance(block, StoriesBlock):
            kept.append(replace(block, stories=tuple(new.values())))
    return kept


def _resolve_issue(issue: Issue) -> IssueRecord:
    return IssueRecord(
        kind=issue.kind,
        reference=issue.reference,
        public_id=issue.public_id,
        due_at=issue.due_at or issue.made_at,
        announces=_resolve_announced_event(issue),
    )


def _resolve_announced_event(issue: Issue) -> AnnouncedEvent | None:
    """Return what a correction announces, with the event as it is now: any change of it voids the approval."""
    if issue.kind != Issue.Kind.CORRECTION or not hasattr(issue, "correction"):
        return None
    correction = issue.correction
    return AnnouncedEvent(fingerprint=correction.fingerprint, event=resolve_event(correction.event))


def _resolve_publication(publication: Publication) -> PublicationRecord:
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
    )


def _resolve_brand(brand: Brand) -> BrandRecord:
    return BrandRecord(
        name=brand.name,
        logo=_resolve_logo(brand.logo, alt=brand.name),
        logo_dark=_resolve_logo(brand.logo_dark, alt=brand.name),
        colour=brand.colour,
        accent=brand.accent,
        background=brand.background,
        font=brand.font,
        heading_font=brand.heading_font,
        radius=brand.radius,
        masthead=brand.masthead,
        icons_url=f"{settings.NEWSLETTER_SITE_URL}/m/icons",
        postal_address=brand.postal_address,
        website=brand.website,
        donate_url=brand.donate_url,
        donor_portal_url=brand.donor_portal_url,
        social=tuple(sorted(brand.social.items())),
    )


def _resolve_logo(logo: Picture | None, *, alt: str) -> PictureRecord | None:
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
