"""Which different mails an issue's readers would get, how many people get each, and one of them rendered. Stores nothing."""

from dataclasses import dataclass, field

from django.http import Http404

from newsletter.common.errors import NotReady
from newsletter.desk.editor.lock import find_sealed
from newsletter.desk.editor.render_cache import render_once
from newsletter.issues.snapshot.completeness import resolve_complete
from newsletter.issues.snapshot.resolve import Content, hash_content
from newsletter.issues.variants.groups import Group, find_groups, find_wheres, see_as
from newsletter.issues.variants.render import Rendered
from newsletter.issues.variants.visible import Visible, describe_visible
from newsletter.models import Issue
from subscribers.models import Frequency, Giving

__all__ = [
    "NOBODY",
    "Readers",
    "content_of",
    "find_readers",
    "name_group",
    "read_group",
    "render_for",
    "resolve_complete",
]

NOBODY = Group(place_id=0, giving="none", people=0)


@dataclass(frozen=True)
class Readers:
    """People who get the same mail. ``name`` is that of their largest group and stands in links."""

    name: str
    people: int
    label: str
    visible: Visible = field(repr=False)


def content_of(issue: Issue) -> Content:
    """What the issue says; where it went out, what it said then, whatever became of its stories and events since.

    Raises what `resolve_complete` raises.
    """
    sealed = find_sealed(issue)
    content: Content = sealed.content if sealed else resolve_complete(issue)
    return content


def find_readers(issue: Issue, *, content: Content) -> list[Readers]:
    """The distinct mails of the audience, the one with most people first; one for nobody if it is empty.

    The audience is as it is now, or was when the issue went out.
    """
    groups = _find_groups(issue) or [NOBODY]
    wheres = find_wheres(group.place_id for group in groups)
    first: dict[str, tuple[Group, Visible]] = {}
    people: dict[str, int] = {}
    for group in groups:
        visible = see_as(content, group=group, wheres=wheres)
        if not visible.nothing:
            first.setdefault(visible.key, (group, visible))
            people[visible.key] = people.get(visible.key, 0) + group.people
    if not first:
        visible = see_as(content, group=NOBODY, wheres=wheres)
        first, people = {visible.key: (NOBODY, visible)}, {visible.key: 0}
    readers = [
        Readers(name=name_group(group), people=people[key], label=describe_visible(visible), visible=visible)
        for key, (group, visible) in first.items()
    ]
    return sorted(readers, key=lambda reader: -reader.people)


def _find_groups(issue: Issue) -> list[Group]:
    sealed = find_sealed(issue)
    if sealed is None:
        return find_groups(issue)
    rows = sealed.groups.filter(variant__isnull=False, people__gt=0).order_by("-people", "pk")
    return [
        Group(
            place_id=row.place_id,
            giving=row.giving,
            people=row.people,
            radius_km=row.radius_km,
            frequency=row.frequency,
        )
        for row in rows
    ]


def name_group(group: Group) -> str:
    """A group's name in links: place and giving, such as ``12.donor``; radius and rhythm too where they are of its own."""
    name = f"{group.place_id}.{group.giving}"
    if group.radius_km or group.frequency != Frequency.EVERY:
        name += f".{group.radius_km}.{group.frequency}"
    return name


def read_group(name: str) -> Group:
    """The group of a name. Raises Http404 where it is none."""
    parts = name.split(".")
    if len(parts) not in (2, 4):
        raise Http404("There are no such readers.")
    place, giving, radius, frequency = parts if len(parts) == 4 else [*parts, "0", str(Frequency.EVERY)]
    if not (place.isdecimal() and giving in Giving.values and radius.isdecimal() and frequency in Frequency.values):
        raise Http404("There are no such readers.")
    return Group(place_id=int(place), giving=giving, people=0, radius_km=int(radius), frequency=frequency)


def render_for(content: Content, *, group: Group) -> Rendered:
    """The mail of a group of readers. Raises NotReady where they get none."""
    visible = see_as(content, group=group, wheres=find_wheres([group.place_id]))
    if visible.nothing:
        raise NotReady(describe_visible(visible))
    return render_once(content, visible=visible, sha256=hash_content(content))
