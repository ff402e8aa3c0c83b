"""Which different mails an issue's readers would get, how many people get each, and one of them rendered. Stores nothing."""

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

__all__ = [
    "EMPTY_GROUP",
    "VariantGroup",
    "find_issue_content",
    "find_variant_groups",
    "group_key",
    "parse_group_key",
    "render_for_group",
    "resolve_complete_content",
]

EMPTY_GROUP = RecipientGroup(place_id=0, giving="none", people=0)


@dataclass(frozen=True)
class VariantGroup:
    """People who get the same mail. ``name`` is that of their largest group and stands in links."""

    name: str
    people: int
    label: str
    visible: VisibleContent = field(repr=False)


def find_issue_content(issue: Issue) -> IssueContent:
    """What the issue says; where it went out, what it said then, whatever became of its stories and events since.

    Raises what `resolve_complete_content` raises.
    """
    sealed = find_sealed_revision(issue)
    return IssueContent.from_json(sealed.content) if sealed else resolve_complete_content(issue)


def find_variant_groups(issue: Issue, *, content: IssueContent) -> list[VariantGroup]:
    """The distinct mails of the audience, the one with most people first; one for nobody if it is empty.

    The audience is as it is now, or was when the issue went out.
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
    readers = [
        VariantGroup(name=group_key(group), people=people[key], label=describe_visible(visible), visible=visible)
        for key, (group, visible) in first.items()
    ]
    return sorted(readers, key=lambda reader: -reader.people)


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
    """A group's name in links: place and giving, such as ``12.donor``; radius and rhythm too where they are of its own."""
    name = f"{group.place_id}.{group.giving}"
    if group.radius_km or group.frequency != Frequency.EVERY:
        name += f".{group.radius_km}.{group.frequency}"
    return name


def parse_group_key(name: str) -> RecipientGroup:
    """The group of a name. Raises Http404 where it is none."""
    parts = name.split(".")
    if len(parts) not in (2, 4):
        raise Http404("There are no such readers.")
    place, giving, radius, frequency = parts if len(parts) == 4 else [*parts, "0", str(Frequency.EVERY)]
    if not (place.isdecimal() and giving in Giving.values and radius.isdecimal() and frequency in Frequency.values):
        raise Http404("There are no such readers.")
    return RecipientGroup(place_id=int(place), giving=giving, people=0, radius_km=int(radius), frequency=frequency)


def render_for_group(content: IssueContent, *, group: RecipientGroup) -> RenderedVariant:
    """The mail of a group of readers. Raises NotReady where they get none."""
    visible = choose_visible_for_group(content, group=group, locations=find_locations([group.place_id]))
    if visible.is_empty:
        raise NotReady(describe_visible(visible))
    return render_cached(content, visible=visible, sha256=hash_content(content))
