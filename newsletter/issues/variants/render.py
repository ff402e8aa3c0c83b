"""Freezes an issue's content as a revision and renders its variants: one per distinct thing readers see, never one per reader."""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import translation

from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.related_links import find_linked_stories
from newsletter.issues.snapshot.resolve import hash_content, resolve_content
from newsletter.issues.variants.click_links import OFF, track_links
from newsletter.issues.variants.documents import make_document
from newsletter.issues.variants.recipient_groups import (
    RecipientGroup,
    choose_visible_for_group,
    find_groups,
    find_locations,
)
from newsletter.issues.variants.story_checks import check_stories
from newsletter.issues.variants.visibility import Content, VisibleContent, describe_visible, list_shown_ids
from newsletter.models import Issue, IssueRevision, ReaderGroup, Shown, Variant
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import render

__all__ = [
    "RecipientGroup",
    "RenderedVariant",
    "choose_visible_for_group",
    "find_groups",
    "find_locations",
    "freeze_revision",
    "make_public_id",
    "make_variants",
    "render_visible",
]


@dataclass(frozen=True)
class RenderedVariant:
    """One variant before it is stored: what it shows, the mail, and what lint found."""

    visible: VisibleContent
    mail: RenderedMail
    findings: list[dict[str, Any]]
    public_id: str


def freeze_revision(*, issue: Issue, now: datetime) -> IssueRevision:
    """The revision of the issue's content as it is now; the same content gives the same revision."""
    content = resolve_content(issue)
    sha256 = hash_content(content)
    known = IssueRevision.objects.filter(issue=issue, sha256=sha256).first()
    if known:
        return known
    number = (issue.frozen.aggregate(last=Max("number"))["last"] or 0) + 1
    try:
        with transaction.atomic():
            return IssueRevision.objects.create(issue=issue, number=number, sha256=sha256, content=content, made_at=now)
    except IntegrityError:
        return IssueRevision.objects.get(issue=issue, sha256=sha256)


def make_variants(*, revision: IssueRevision, groups: Iterable[RecipientGroup]) -> list[Variant]:
    """Render and store what these groups see, where it is not stored yet, and say which group gets which variant.

    A group that would see nothing is noted without a variant: its people get no mail.
    """
    groups = list(groups)
    locations = find_locations(group.place_id for group in groups)
    by_key: dict[str, Variant] = {variant.key: variant for variant in revision.variants.all()}
    seen: dict[str, list[RecipientGroup]] = defaultdict(list)
    nothing: list[RecipientGroup] = []
    for group in groups:
        visible = choose_visible_for_group(revision.content, group=group, locations=locations)
        if visible.nothing:
            nothing.append(group)
            continue
        seen[visible.key].append(group)
        if visible.key not in by_key:
            by_key[visible.key] = _save_variant(revision, render_visible(revision.content, visible=visible))
    of_groups = [(by_key[key], group) for key, members in seen.items() for group in members]
    _save_groups(revision, [*of_groups, *((None, group) for group in nothing)])
    return [by_key[key] for key in seen]


def _save_groups(revision: IssueRevision, of_groups: Iterable[tuple[Variant | None, RecipientGroup]]) -> None:
    """A group that nobody counted is that of a proof: how many it was counted to have stays."""
    rows = [
        ReaderGroup(
            revision=revision,
            variant=variant,
            place_id=group.place_id,
            giving=group.giving,
            radius_km=group.radius_km,
            frequency=group.frequency,
            people=group.people,
        )
        for variant, group in of_groups
    ]
    ReaderGroup.objects.bulk_create([row for row in rows if not row.people], ignore_conflicts=True)
    ReaderGroup.objects.bulk_create(
        [row for row in rows if row.people],
        update_conflicts=True,
        unique_fields=["revision", "place_id", "giving", "radius_km", "frequency"],
        update_fields=["variant", "people"],
    )


def render_visible(content: Content, *, visible: VisibleContent) -> RenderedVariant:
    """One variant, rendered and checked; nothing is stored."""
    public_id = make_public_id(content, visible)
    document = make_document(content, visible=visible, view_online=f"{settings.NEWSLETTER_SITE_URL}/view/{public_id}")
    mail = track_links(
        render(document), issue=content["issue"]["public_id"], clicks=content["publication"].get("clicks", OFF)
    )
    findings = [asdict(finding) for finding in lint_mail(mail, document=document)]
    findings += check_stories(remove_stories(content, stories=visible.hidden))
    return RenderedVariant(visible=visible, mail=mail, findings=findings, public_id=public_id)


def make_public_id(content: Content, visible: VisibleContent) -> str:
    """The unguessable name under which this variant can be viewed online: the same content has the same name."""
    message = f"{hash_content(content)}/{visible.key}".encode()
    return hmac.new(settings.SUBSCRIBERS_ADDRESS_KEY.encode(), b"view:" + message, hashlib.sha256).hexdigest()[:32]


def _save_variant(revision: IssueRevision, rendered: RenderedVariant) -> Variant:
    mail = rendered.mail
    with transaction.atomic(), translation.override("en"):  # what is kept is in one language, whoever approves
        variant, made = Variant.objects.get_or_create(
            issue=revision.issue,
            revision=revision,
            key=rendered.visible.key,
            defaults={
                "public_id": rendered.public_id,
                "label": describe_visible(rendered.visible),
                "language": rendered.visible.language,
                "subject": mail.subject,
                "preheader": mail.preheader,
                "html": mail.html,
                "text": mail.text,
                "variables": [asdict(variable) for variable in mail.variables],
                "findings": rendered.findings,
                "sha256": mail.sha256,
            },
        )
        if made:
            _save_shown_items(variant, content=revision.content, visible=rendered.visible)
    return variant


def _save_shown_items(variant: Variant, *, content: Content, visible: VisibleContent) -> None:
    stories, events = list_shown_ids(content, visible=visible)
    if not visible.only_events:
        stories |= find_linked_stories(remove_stories(content, stories=visible.hidden))
    rows = [(Shown.Kind.STORY, row_id) for row_id in stories] + [(Shown.Kind.EVENT, row_id) for row_id in events]
    Shown.objects.bulk_create(Shown(variant=variant, kind=kind, row_id=row_id) for kind, row_id in sorted(rows))
