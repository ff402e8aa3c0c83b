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
from django.db.models import Count, Max, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from newsletter.issues.content import hash_content, resolve_content
from newsletter.issues.documents import Content, Visible, describe_visible, make_document, see
from newsletter.issues.near import Where
from newsletter.models import Issue, IssueRevision, ReaderGroup, Variant
from newsletter.rendering import RenderedMail, check, render
from subscribers.audience import eligible
from subscribers.models import Place


@dataclass(frozen=True)
class Group:
    """Readers of one place (0: unknown) and giving status, and how many they are."""

    place_id: int
    giving: str
    people: int


@dataclass(frozen=True)
class Rendered:
    """One variant before it is stored: what it shows, the mail, and what lint found."""

    visible: Visible
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


def find_groups(issue: Issue, *, now: datetime | None = None) -> list[Group]:
    """The groups of readers that the audience has now, largest first."""
    publication = issue.publication
    rows = (
        eligible(mailing_list=publication.mailing_list, segment=publication.segment, now=now or timezone.now())
        .order_by()
        .values_list(Coalesce("subscriber__place_id", Value(0)), "subscriber__giving")
        .annotate(people=Count("pk"))
    )
    return sorted((Group(*row) for row in rows), key=lambda group: (-group.people, group.place_id, group.giving))


def make_variants(*, revision: IssueRevision, groups: Iterable[Group]) -> list[Variant]:
    """Render and store what these groups see, where it is not stored yet, and say which group gets which variant."""
    groups = list(groups)
    wheres = find_wheres(group.place_id for group in groups)
    by_key: dict[str, Variant] = {variant.key: variant for variant in revision.variants.all()}
    seen: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        visible = see(revision.content, where=wheres[group.place_id], giving=group.giving)
        seen[visible.key].append(group)
        if visible.key not in by_key:
            by_key[visible.key] = _store(revision, render_visible(revision.content, visible=visible))
    ReaderGroup.objects.bulk_create(
        (
            ReaderGroup(
                revision=revision,
                variant=by_key[key],
                place_id=group.place_id,
                giving=group.giving,
                people=group.people,
            )
            for key, members in seen.items()
            for group in members
        ),
        update_conflicts=True,
        unique_fields=["revision", "place_id", "giving"],
        update_fields=["variant", "people"],
    )
    return [by_key[key] for key in seen]


def render_visible(content: Content, *, visible: Visible) -> Rendered:
    """One variant, rendered and checked; nothing is stored."""
    public_id = make_public_id(content, visible)
    document = make_document(content, visible=visible, view_online=f"{settings.NEWSLETTER_SITE_URL}/view/{public_id}")
    mail = render(document)
    findings = [asdict(finding) for finding in check(mail, document=document)]
    return Rendered(visible=visible, mail=mail, findings=findings, public_id=public_id)


def find_wheres(place_ids: Iterable[int]) -> dict[int, Where]:
    """Places by id, with 0 for the unknown one."""
    wheres = {0: Where()}
    for place in Place.objects.filter(pk__in=set(place_ids)):
        wheres[place.pk] = Where(
            country=place.country,
            region=place.region,
            town=place.town,
            latitude=place.latitude,
            longitude=place.longitude,
        )
    return wheres


def make_public_id(content: Content, visible: Visible) -> str:
    """The unguessable name under which this variant can be viewed online: the same content has the same name."""
    message = f"{hash_content(content)}/{visible.key}".encode()
    return hmac.new(settings.SUBSCRIBERS_ADDRESS_KEY.encode(), b"view:" + message, hashlib.sha256).hexdigest()[:32]


def _store(revision: IssueRevision, rendered: Rendered) -> Variant:
    mail = rendered.mail
    variant, _ = Variant.objects.get_or_create(
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
    return variant
