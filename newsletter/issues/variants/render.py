"""Freeze an issue's content as a revision and render its variants: one for all readers who see the same."""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import translation

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.related_links import find_linked_stories
from newsletter.issues.snapshot.resolve import hash_content, resolve_content
from newsletter.issues.variants.click_links import track_links
from newsletter.issues.variants.documents import find_sent_day, make_document
from newsletter.issues.variants.recipient_groups import RecipientGroup, choose_visible_for_group, find_locations
from newsletter.issues.variants.story_checks import check_stories
from newsletter.issues.variants.visibility import VisibleContent, describe_visible, list_shown_ids
from newsletter.models import Issue, IssueRevision, ReaderGroup, ShownItem, Variant
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.lint.findings import Finding
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import render


@dataclass(frozen=True)
class RenderedVariant:
    """One variant before it is stored: what it shows, its mail, and what the checks found."""

    visible: VisibleContent
    mail: RenderedMail
    findings: list[Finding]
    public_id: str


def freeze_revision(*, issue: Issue, now: datetime) -> IssueRevision:
    """Return the revision of the issue's content as it is now. The same content gives the same revision."""
    content = resolve_content(issue)
    sha256 = hash_content(content)
    known = IssueRevision.objects.filter(issue=issue, sha256=sha256).first()
    if known:
        return known
    number = (issue.content_revisions.aggregate(last=Max("number"))["last"] or 0) + 1
    try:
        with transaction.atomic():
            return IssueRevision.objects.create(
                issue=issue, number=number, sha256=sha256, content=content.to_json(), made_at=now
            )
    except IntegrityError:
        return IssueRevision.objects.get(issue=issue, sha256=sha256)


def make_variants(
    *, revision: IssueRevision, groups: Iterable[RecipientGroup], sent_at: datetime | None = None
) -> list[Variant]:
    """Render and store the variants that these groups see, and store which group gets which. Return the variants.

    A group that would see nothing is stored without a variant: its people get no mail. ``sent_at`` is when the send begins;
    without it, the mails show the day on which the issue is due.
    """
    groups, content = list(groups), IssueContent.from_json(revision.content)
    sent_on = find_sent_day(content, at=sent_at) if sent_at else None
    locations = find_locations(group.place_id for group in groups)
    by_key: dict[str, Variant] = {variant.key: variant for variant in revision.variants.all()}
    groups_by_key: dict[str, list[RecipientGroup]] = defaultdict(list)
    without_mail: list[RecipientGroup] = []
    for group in groups:
        visible = replace(choose_visible_for_group(content, group=group, locations=locations), sent_on=sent_on)
        if visible.is_empty:
            without_mail.append(group)
            continue
        groups_by_key[visible.key].append(group)
        if visible.key not in by_key:
            rendered = render_visible(content, visible=visible)
            by_key[visible.key] = _save_variant(revision, rendered, content=content)
    with_mail = [(by_key[key], group) for key, members in groups_by_key.items() for group in members]
    _save_groups(revision, [*with_mail, *((None, group) for group in without_mail)])
    return [by_key[key] for key in groups_by_key]


def _save_groups(revision: IssueRevision, groups: Iterable[tuple[Variant | None, RecipientGroup]]) -> None:
    """Store the groups. One without people is that of a proof: it does not overwrite a number counted earlier."""
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
        for variant, group in groups
    ]
    ReaderGroup.objects.bulk_create([row for row in rows if not row.people], ignore_conflicts=True)
    ReaderGroup.objects.bulk_create(
        [row for row in rows if row.people],
        update_conflicts=True,
        unique_fields=["revision", "place_id", "giving", "radius_km", "frequency"],
        update_fields=["variant", "people"],
    )


def render_visible(content: IssueContent, *, visible: VisibleContent) -> RenderedVariant:
    """Render and check one variant. Store nothing."""
    public_id = make_public_id(content, visible)
    document = make_document(content, visible=visible, view_online=f"{settings.NEWSLETTER_SITE_URL}/view/{public_id}")
    mail = track_links(render(document), issue=content.issue.public_id, clicks=content.publication.clicks)
    findings = [
        *lint_mail(mail, document=document),
        *check_stories(remove_stories(content, stories=visible.hidden)),
    ]
    return RenderedVariant(visible=visible, mail=mail, findings=findings, public_id=public_id)


def make_public_id(content: IssueContent, visible: VisibleContent) -> str:
    """Return the unguessable id of the variant's page on the web. The same content has the same id."""
    message = f"{hash_content(content)}/{visible.key}".encode()
    return hmac.new(settings.SUBSCRIBERS_ADDRESS_KEY.encode(), b"view:" + message, hashlib.sha256).hexdigest()[:32]


def _save_variant(revision: IssueRevision, rendered: RenderedVariant, *, content: IssueContent) -> Variant:
    mail = rendered.mail
    with transaction.atomic(), translation.override("en"):  # what is stored is in one language, whoever approves
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
                "findings": [asdict(finding) for finding in rendered.findings],
                "sha256": mail.sha256,
            },
        )
        if made:
            _save_shown_items(variant, content=content, visible=rendered.visible)
    return variant


def _save_shown_items(variant: Variant, *, content: IssueContent, visible: VisibleContent) -> None:
    stories, events = list_shown_ids(content, visible=visible)
    if not visible.only_events:
        stories |= find_linked_stories(remove_stories(content, stories=visible.hidden))
    rows = [(ShownItem.Kind.STORY, row_id) for row_id in stories] + [
        (ShownItem.Kind.EVENT, row_id) for row_id in events
    ]
    ShownItem.objects.bulk_create(ShownItem(variant=variant, kind=kind, row_id=row_id) for kind, row_id in sorted(rows))
