"""Which different mails an issue's readers would get, how many people get each, and one of them rendered. Stores nothing."""

from dataclasses import dataclass

from newsletter.errors import NotReady
from newsletter.issues.content import Content, resolve_content
from newsletter.issues.documents import describe_visible, see
from newsletter.issues.near import Where
from newsletter.issues.variants import Group, Rendered, find_groups, find_wheres, render_visible
from newsletter.models import Issue

NOBODY = Group(place_id=0, giving="none", people=0)


@dataclass(frozen=True)
class Readers:
    """People who get the same mail. ``place_id`` and ``giving`` are those of their largest group and name them in links."""

    place_id: int
    giving: str
    people: int
    label: str

    @property
    def name(self) -> str:
        return f"{self.place_id}.{self.giving}"


def find_readers(issue: Issue, *, content: Content) -> list[Readers]:
    """The distinct mails of the audience as it is now, the one with most people first; one for nobody if it is empty."""
    groups = find_groups(issue) or [NOBODY]
    wheres = find_wheres(group.place_id for group in groups)
    first: dict[str, tuple[Group, str]] = {}
    people: dict[str, int] = {}
    for group in groups:
        visible = see(content, where=wheres.get(group.place_id, Where()), giving=group.giving)
        if visible.key not in first:
            first[visible.key] = (group, describe_visible(visible))
        people[visible.key] = people.get(visible.key, 0) + group.people
    readers = [
        Readers(place_id=group.place_id, giving=group.giving, people=people[key], label=label)
        for key, (group, label) in first.items()
    ]
    return sorted(readers, key=lambda reader: -reader.people)


def render_for(content: Content, *, place_id: int, giving: str) -> Rendered:
    """The mail of a reader at a place (0: unknown) and of a giving status."""
    where = find_wheres([place_id]).get(place_id, Where())
    return render_visible(content, visible=see(content, where=where, giving=giving))


def resolve_complete(issue: Issue) -> Content:
    """The issue's content. Raises NotReady, naming each block that still lacks what it is made of."""
    gaps = find_gaps(issue)
    if gaps:
        raise NotReady("\n".join(gaps))
    return resolve_content(issue)


def find_gaps(issue: Issue) -> list[str]:
    """The blocks that cannot be shown yet, in words."""
    gaps = []
    for number, child in enumerate(issue.body, 1):
        match child.block_type:
            case "lead_story" if not child.value["story"]:
                gaps.append(f"Block {number}, the lead story, has no story yet. Choose one, or delete the block.")
            case "picture" if not child.value["image"]:
                gaps.append(f"Block {number}, the picture, has no picture yet. Choose one, or delete the block.")
            case "note" if child.value["text"] is None:
                gaps.append(f"Block {number}, the note, has no text yet. Write some, or delete the block.")
    return gaps
