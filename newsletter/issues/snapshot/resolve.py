"""An issue, resolved to plain data: everything that any variant can show, and nothing that can change later.

The hash of this data is what people approve. Keys are stable; times are ISO 8601 in UTC.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings

from newsletter.content.images.renditions import make_rendition
from newsletter.issues.snapshot.block_content import resolve_block, resolve_event, resolve_picture
from newsletter.issues.snapshot.consent_rules import EMAIL
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.related_links import find_related_links, find_restricted_links
from newsletter.models import Brand, Issue, Picture, Publication

Content = dict[str, Any]


def resolve_content(issue: Issue) -> Content:
    """The issue as data, from the rows as they are now."""
    publication = issue.publication
    content = {
        "issue": {
            "kind": issue.kind,
            "reference": issue.reference,
            "public_id": issue.public_id,
            "due_at": _resolve_due_at(issue),
            **_resolve_announced_event(issue),
        },
        "subject": issue.subject,
        "preheader": issue.preheader,
        "layout": _choose_layout(issue),
        "headline": issue.headline,
        "publication": _resolve_publication(publication),
        "brand": _resolve_brand(publication.brand),
        "blocks": _deduplicate_stories(
            {"type": child.block_type, "key": child.id or f"{child.block_type}-{index}", **resolved}
            for index, child in enumerate(issue.body)
            if (resolved := resolve_block(child.block_type, child.value)) is not None
        ),
    }
    return _remove_restricted_links(content)


def _deduplicate_stories(blocks: Iterable[Content]) -> list[Content]:
    """Keep the first place of each story; a block that has no other goes."""
    seen: set[int] = set()
    kept = []
    for block in blocks:
        stories = [block["story"]] if "story" in block else block.get("stories", [])
        new = list({story["id"]: story for story in stories if story["id"] not in seen}.values())
        seen.update(story["id"] for story in new)
        if len(new) == len(stories):
            kept.append(block)
        elif new:
            kept.append({**block, "stories": new})
    return kept


def _choose_layout(issue: Issue) -> str:
    """What staff chose for the issue, else what goes with its kind: an issue of the schedule looks as its publication says."""
    return str(issue.layout or LAYOUTS.get(issue.kind) or issue.publication.layout)


def hash_content(content: Content) -> str:
    """sha256, hexadecimal, over the canonical JSON."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _resolve_due_at(issue: Issue) -> str:
    return issue.slot.due_at.isoformat() if issue.slot else issue.made_at.isoformat()


def _resolve_announced_event(issue: Issue) -> Content:
    """Of a correction: the facts it was written for, and the event as it is now. Whatever changes in it voids the approval."""
    if issue.kind != Issue.Kind.CORRECTION or not hasattr(issue, "correction"):
        return {}
    correction = issue.correction
    return {"announces": {"facts": correction.fingerprint, "event": resolve_event(correction.event)}}


def _resolve_publication(publication: Publication) -> Content:
    counted = {} if publication.clicks == Publication.Clicks.OFF else {"clicks": publication.clicks}
    return {
        **counted,
        "slug": publication.slug,
        "name": publication.name,
        "language": publication.language,
        "from_name": publication.from_name,
        "from_email": publication.from_email,
        "reply_to": publication.reply_to,
        "list_name": publication.mailing_list.public_name,
        "list_id": publication.mailing_list.public_id,
        "events": publication.events,
        "radius_km": publication.radius_km,
        "host_url": publication.host_url,
        "zone": publication.zone,
        "consent_required": publication.consent_required,
    }


def _resolve_brand(brand: Brand) -> Content:
    return {
        "name": brand.name,
        "logo": _resolve_logo(brand.logo, alt=brand.name),
        "logo_dark": _resolve_logo(brand.logo_dark, alt=brand.name),
        "colour": brand.colour,
        "accent": brand.accent,
        "background": brand.background,
        "font": brand.font,
        "heading_font": brand.heading_font,
        "radius": brand.radius,
        "masthead": brand.masthead,
        "icons_url": f"{settings.NEWSLETTER_SITE_URL}/m/icons",
        "postal_address": brand.postal_address,
        "website": brand.website,
        "donate_url": brand.donate_url,
        "donor_portal_url": brand.donor_portal_url,
        "social": sorted(brand.social.items()),
    }


def _resolve_logo(logo: Picture | None, *, alt: str) -> Content | None:
    return resolve_picture(make_rendition(logo, format_name="logo"), alt=alt) if logo else None


def _remove_restricted_links(content: Content) -> Content:
    """The same content without further reading about stories that may not be shown when it is due."""
    unfit = find_restricted_links(
        list(find_related_links(content)),
        channel=EMAIL,
        at=datetime.fromisoformat(content["issue"]["due_at"]),
        required=content["publication"]["consent_required"],
    )
    return remove_stories(content, stories=unfit)


LAYOUTS = {"digest": "digest", "correction": "event_notice"}
"""The layouts of issues that are not of the schedule, where staff chose none."""
