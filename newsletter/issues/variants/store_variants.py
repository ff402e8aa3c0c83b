"""Make and store the variants of a revision, one for all readers who see the same, and store which group gets which."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from operator import attrgetter

from django.db import transaction

from newsletter.common.errors import NotReady
from newsletter.common.messages import Quantity
from newsletter.issues.snapshot.content_links import find_linked_stories
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.variants.dates import find_sent_day
from newsletter.issues.variants.recipient_groups import GROUP_KEY, GroupVisibility, RecipientGroup
from newsletter.issues.variants.render import RenderedVariant, render_visible
from newsletter.issues.variants.subject_assignment import WAITS, list_arms
from newsletter.issues.visible.variant_labels import list_label_facts
from newsletter.issues.visible.visible_content import VisibleContent, list_shown_ids
from newsletter.models import Batch, IssueRevision, ReaderGroup, ShownItem, Variant

_KEY_LENGTH = len(GROUP_KEY)
_GIVEN = ("variant_id", "empty_reason", "fallback", "people")
_Given = tuple[int | None, str, int, int]
"""The values of `_GIVEN`: the variant of a group, and its number of people."""
_get_key = attrgetter(*GROUP_KEY)


def make_variants(
    *,
    revision: IssueRevision,
    groups: Iterable[RecipientGroup],
    sent_at: datetime | None = None,
    visibility: GroupVisibility | None = None,
    renew: bool = False,
) -> list[Variant]:
    """Render and store the variants that these groups see, and store which group gets which. Return the variants.

    A group that would see nothing is stored without a variant: its people get no mail. ``sent_at`` is when the send begins;
    without it, the mails show the day on which the issue is due. ``visibility`` has the content that was already chosen for
    the groups. For people who wait for the decision of a subject test, the mail with each subject is made, and its group is
    stored without people.

    ``renew``: render all again, and replace those that the program now makes differently, unless they are being sent.
    """
    versions = _find_versions(revision, groups=list(groups), sent_at=sent_at, visibility=visibility)
    rendered: dict[str, RenderedVariant] = {}
    if renew and revision.variants.exists():
        rendered = {visible.key: render_visible(versions.content, visible=visible) for visible in versions.visible}
        _delete_outdated(revision, rendered)
    by_key = _make_missing(revision, versions, rendered=rendered)
    variants = {key: variant.pk for key, variant in by_key.items()}
    _save_groups(revision, versions, variants=variants)
    return [by_key[visible.key] for visible in versions.visible]


def make_missing_variants(
    *, revision: IssueRevision, groups: Sequence[RecipientGroup], sent_at: datetime, visibility: GroupVisibility
) -> None:
    """Render and store the variants that these groups see and that are not made yet.

    The groups stay as they are: `assign_variants` stores them with the audience, which another process may have frozen.
    """
    versions = _find_versions(revision, groups=groups, sent_at=sent_at, visibility=visibility)
    _make_missing(revision, versions, rendered={})


def _make_missing(
    revision: IssueRevision, versions: "_Versions", *, rendered: Mapping[str, RenderedVariant]
) -> dict[str, Variant]:
    by_key: dict[str, Variant] = {variant.key: variant for variant in revision.variants.all()}
    for visible in versions.visible:
        if visible.key not in by_key:
            made = rendered.get(visible.key) or render_visible(versions.content, visible=visible)
            by_key[visible.key] = _save_variant(revision, made, content=versions.content)
    return by_key


def _delete_outdated(revision: IssueRevision, rendered: Mapping[str, RenderedVariant]) -> None:
    """Delete the variants that would be made differently now. If there are some, delete those that were not compared too."""
    stored = revision.variants.exclude(pk__in=Batch.objects.filter(variant__revision=revision).values("variant"))
    hashes = {key: made.mail.sha256 for key, made in rendered.items()}
    same = {key for key, sha256 in stored.values_list("key", "sha256") if hashes.get(key) == sha256}
    if stored.filter(key__in=rendered.keys() - same).exists():
        stored.exclude(key__in=same).delete()


def assign_variants(
    *,
    revision: IssueRevision,
    groups: Sequence[RecipientGroup],
    sent_at: datetime,
    visibility: GroupVisibility,
) -> bool:
    """Store which group gets which variant. Return False, and store nothing, if one of the variants is not made yet."""
    versions = _find_versions(revision, groups=groups, sent_at=sent_at, visibility=visibility)
    variants = dict(revision.variants.values_list("key", "pk"))
    if any(visible.key not in variants for visible in versions.visible):
        return False
    _save_groups(revision, versions, variants=variants)
    return True


@dataclass(frozen=True)
class _Versions:
    """The content that the groups of an audience see: for each group the key of its version, or why it gets no mail."""

    content: IssueContent
    visible: list[VisibleContent]
    keys: dict[RecipientGroup, tuple[str, str]]
    possible: frozenset[RecipientGroup]


def _find_versions(
    revision: IssueRevision,
    *,
    groups: Sequence[RecipientGroup],
    sent_at: datetime | None,
    visibility: GroupVisibility | None,
) -> _Versions:
    content = IssueContent.from_json(revision.content)
    sent_on = find_sent_day(content, at=sent_at) if sent_at else None
    visibility = visibility or GroupVisibility(content, groups=groups)
    possible = frozenset(_list_possible(groups, content=content))
    dated: dict[str, VisibleContent] = {}
    keys: dict[RecipientGroup, tuple[str, str]] = {}
    for group in [*groups, *possible]:
        visible = visibility.choose(group)
        if visible.is_empty:
            keys[group] = "", visible.empty_reason
            continue
        if visible.key not in dated:
            dated[visible.key] = replace(visible, sent_on=sent_on) if sent_on else visible
        keys[group] = dated[visible.key].key, ""
    _require_within_limit(content, versions=len(dated))
    return _Versions(content, list(dated.values()), keys, possible)


def _require_within_limit(content: IssueContent, *, versions: int) -> None:
    """Raise NotReady if so few versions are allowed that some readers could not get a mail that is for them."""
    limit = content.publication.max_variants
    if versions > limit:
        raise NotReady(
            "This issue needs at least %(versions)s versions, and its publication allows %(limit)s. Nothing was sent. Raise "
            "the maximum versions of the publication.",
            versions=Quantity(versions),
            limit=Quantity(limit),
        )


def _list_possible(groups: Iterable[RecipientGroup], *, content: IssueContent) -> Iterator[RecipientGroup]:
    """Yield the groups in which the decision of a subject test may put those who wait for it."""
    tested = {group for group in groups if group.arm > 0}
    tested_groups = {group._replace(people=0) for group in tested}
    for group in groups:
        if group.arm == WAITS:
            possible = (group._replace(arm=arm, people=0) for arm in list_arms(content))
            yield from (candidate for candidate in possible if candidate not in tested_groups)


def _save_groups(revision: IssueRevision, versions: _Versions, *, variants: Mapping[str, int]) -> None:
    """Store the groups that are not stored yet, with the ids of their variants by key.

    A group without people is that of a proof: it does not overwrite a number counted earlier. A possible group gets its
    variant, and keeps the number that it has. Groups that nobody is in any more have 0 people, except those of a welcome
    mail, which different people get each day.
    """
    rows = ReaderGroup.objects.filter(revision=revision).values_list(*GROUP_KEY, *_GIVEN)
    stored = {row[:_KEY_LENGTH]: row[_KEY_LENGTH:] for row in rows}
    changed: dict[tuple[object, ...], _Given] = {}
    of_proofs: dict[tuple[object, ...], _Given] = {}
    for group, (version, empty_reason) in versions.keys.items():
        key = _get_key(group)
        people = stored[key][-1] if group in versions.possible and key in stored else group.people
        now = variants.get(version), empty_reason, group.fallback, people
        if group.people or group in versions.possible:
            changed[key] = now
        else:
            of_proofs[key] = now
    if any(group.people for group in versions.keys) and not revision.issue.is_welcome:
        emptied = {key: (*result, 0) for key, (*result, people) in stored.items() if people}
        changed = emptied | changed
    ReaderGroup.objects.bulk_create(_make_rows(revision, of_proofs), ignore_conflicts=True)
    ReaderGroup.objects.bulk_create(
        _make_rows(revision, {key: now for key, now in changed.items() if stored.get(key) != now}),
        update_conflicts=True,
        unique_fields=["revision", *GROUP_KEY],
        update_fields=["variant", *_GIVEN[1:]],
    )


def _make_rows(revision: IssueRevision, groups: Mapping[tuple[object, ...], _Given]) -> Iterator[ReaderGroup]:
    for key, result in groups.items():
        yield ReaderGroup(revision=revision, **dict(zip((*GROUP_KEY, *_GIVEN), (*key, *result), strict=True)))


def _save_variant(revision: IssueRevision, rendered: RenderedVariant, *, content: IssueContent) -> Variant:
    mail = rendered.mail
    with transaction.atomic():
        variant, made = Variant.objects.get_or_create(
            issue=revision.issue,
            revision=revision,
            key=rendered.visible.key,
            defaults={
                "public_id": rendered.public_id,
                "label_facts": list_label_facts(rendered.visible),
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
    content = content.in_language(visible.language)
    stories, events = list_shown_ids(content, visible=visible)
    linked = set()
    if not visible.only_events:
        linked = find_linked_stories(remove_stories(content, stories=visible.hidden)) - stories
    rows = [
        *((ShownItem.Kind.STORY, row_id, False) for row_id in stories),
        *((ShownItem.Kind.STORY, row_id, True) for row_id in linked),
        *((ShownItem.Kind.EVENT, row_id, False) for row_id in events),
    ]
    ShownItem.objects.bulk_create(
        ShownItem(variant=variant, kind=kind, row_id=row_id, only_linked=only_linked)
        for kind, row_id, only_linked in sorted(rows)
    )
