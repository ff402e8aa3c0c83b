"""The versions of an issue's mail, how many recipients each has, and one of them rendered. Nothing is stored."""

from dataclasses import dataclass, field

from django.http import Http404

from newsletter.common.errors import NotReady
from newsletter.desk.editor.render_cache import render_cached
from newsletter.desk.editor.sealed_lock import find_sealed_revision
from newsletter.issues.snapshot.completeness import resolve_complete_content
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import hash_content
from newsletter.issues.variants.recipient_groups import (
    RecipientGroup,
    choose_visible_for_group,
    find_groups,
    find_locations,
)
from newsletter.issues.variants.render import RenderedVariant
from newsletter.issues.variants.visibility import VisibleContent, describe_visible
from newsletter.models import Issue
from subscribers.models import Frequency, Giving

EMPTY_GROUP = RecipientGroup(place_id=0, giving="none", people=0)


@dataclass(frozen=True)
class VariantGroup:
    """Recipients of the same mail. ``name`` is the key of their largest group, as used in links."""

    name: str
    people: int
    label: str
    visible: VisibleContent = field(repr=False)


def find_issue_content(issue: Issue) -> IssueContent:
    """Return the issue's content, or the content that was sent.

    Raises what `resolve_complete_content` raises.
    """
    sealed = find_sealed_revision(issue)
    return IssueContent.from_json(sealed.content) if sealed else resolve_complete_content(issue)


def find_variant_groups(issue: Issue, *, content: IssueContent) -> list[VariantGroup]:
    """Return the versions of the mail, the most common first, or one version for nobody if the audience is empty.

    The audience is that of now, or that of the send once there is one.
    """
    groups = _find_groups(issue) or [EMPTY_GROUP]
    locations = find_locations(group.place_id for group in groups)
    first: dict[str, tuple[RecipientGroup, VisibleContent]] = {}
    people: dict[str, int] = {}
    for group in groups:
        visible = choose_visible_for_group(content, group=group, locations=locations)
        if not visible.is_empty:
            first.setdefault(visible.key, (group, visible))
            people[visible.key] = people.get(visible.key, 0) + group.people
    if not first:
        visible = choose_visible_for_group(content, group=EMPTY_GROUP, locations=locations)
        first, people = {visible.key: (EMPTY_GROUP, visible)}, {visible.key: 0}
    variant_groups = [
        VariantGroup(name=group_key(group), people=people[key], label=describe_visible(visible), visible=visible)
        for key, (group, visible) in first.items()
    ]
    return sorted(variant_groups, key=lambda group: -group.people)


def _find_groups(issue: Issue) -> list[RecipientGroup]:
    sealed = find_sealed_revision(issue)
    if sealed is None:
        return find_groups(issue)
    rows = sealed.groups.filter(variant__isnull=False, people__gt=0).order_by("-people", "pk")
    return [
        RecipientGroup(
            place_id=row.place_id,
            giving=row.giving,
            people=row.people,
            radius_km=row.radius_km,
            frequency=row.frequency,
        )
        for row in rows
    ]


def group_key(group: RecipientGroup) -> str:
    """Return a group's key for links: place and giving, such as ``12.donor``, and radius and frequency if not default."""
    name = f"{group.place_id}.{group.giving}"
    if group.radius_km or group.frequency != Frequency.EVERY:
        name += f".{group.radius_km}.{group.frequency}"
    return name


def parse_group_key(name: str) -> RecipientGroup:
    """Return the group of a key. Raises Http404 if the key is invalid."""
    parts = name.split(".")
    if len(parts) not in (2, 4):
        raise Http404("There is no such group of recipients.")
    place, giving, radius, frequency = parts if len(parts) == 4 else [*parts, "0", str(Frequency.EVERY)]
    if not (place.isdecimal() and giving in Giving.values and radius.isdecimal() and frequency in Frequency.values):
        raise Http404("There is no such group of recipients.")
    return RecipientGroup(place_id=int(place), giving=giving, people=0, radius_km=int(radius), frequency=frequency)


def render_for_group(content: IssueContent, *, group: RecipientGroup) -> RenderedVariant:
    """Render the mail of a group. Raises NotReady if the group gets none."""
    visible = choose_visible_for_group(content, group=group, locations=find_locations([group.place_id]))
    if visible.is_empty:
        raise NotReady(describe_visible(visible))
    return render_cached(content, visible=visible, sha256=hash_content(content))
