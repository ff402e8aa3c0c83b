"""Keep an issue within its limit of versions by simplifying those with the fewest people. No database.

First, everybody has the least `Fallback` with which all versions are within the limit. Then, the versions with the most people
are made instead while there is room. Nobody gets a version that has nothing for them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from newsletter.issues.visible.choose_visible import VersionId
from newsletter.issues.visible.visible_content import Fallback

_Group = TypeVar("_Group")


class Version(NamedTuple):
    """A version in a language. ``mails`` is more than 1 in a subject test: it is made with each subject."""

    language: str
    content: VersionId
    mails: int = 1


class VersionLimit(Generic[_Group]):
    """The versions that an issue has, chosen from its groups of readers and their numbers of people.

    ``identify`` returns the version of a group with a fallback. If the limit is too small even with the last fallback, the
    issue has more versions. ``fallbacks`` has the fallback of each group, in their order.
    """

    def __init__(
        self, groups: Sequence[tuple[_Group, int]], *, identify: Callable[[_Group, Fallback], Version], limit: int
    ) -> None:
        self._identify = identify
        self._numbers: dict[Version, int] = {}
        self._versions: list[Version] = []
        own_versions = [self._find_own(group) for group, _people in groups]
        empty = [self._is_empty(number) for number in own_versions]
        with_mail = [item for item, is_empty in zip(groups, empty, strict=True) if not is_empty]
        versions_by_fallback = [[number for number, is_empty in zip(own_versions, empty, strict=True) if not is_empty]]
        while self._count_mails(versions_by_fallback[-1]) > limit and len(versions_by_fallback) < len(Fallback):
            fallback = Fallback(len(versions_by_fallback))
            versions_by_fallback.append(
                [
                    self._find_version(group, fallback, versions_by_fallback[-1][index])
                    for index, (group, _) in enumerate(with_mail)
                ]
            )
        mails = [version.mails for version in self._versions]
        self._kept = _choose_versions(
            versions_by_fallback, people=[people for _group, people in with_mail], mails=mails, limit=limit
        )
        used = (
            next(
                (
                    fallback
                    for fallback, versions in zip(Fallback, versions_by_fallback, strict=False)
                    if versions[index] in self._kept
                )
            )
            for index in range(len(with_mail))
        )
        self.fallbacks = [Fallback.NONE if is_empty else next(used) for is_empty in empty]

    def find_fallback(self, group: _Group) -> Fallback:
        """Return the least fallback with which a group has one of the versions; `NONE` if it gets no mail or has none."""
        version = self._find_own(group)
        if self._is_empty(version):
            return Fallback.NONE
        for fallback in Fallback:
            version = self._find_version(group, fallback, version)
            if version in self._kept:
                return fallback
        return Fallback.NONE

    def _find_own(self, group: _Group) -> int:
        return self._number(self._identify(group, Fallback.NONE))

    def _find_version(self, group: _Group, fallback: Fallback, before: int) -> int:
        """Return the version with this fallback, or the one ``before`` if this has nothing for these readers."""
        version = self._identify(group, fallback)
        return before if version.content.empty_reason else self._number(version)

    def _number(self, version: Version) -> int:
        """Return the number of a version. A version is large, and hashing it each time takes most of the time."""
        number = self._numbers.setdefault(version, len(self._versions))
        if number == len(self._versions):
            self._versions.append(version)
        return number

    def _is_empty(self, number: int) -> bool:
        return bool(self._versions[number].content.empty_reason)

    def _count_mails(self, numbers: Iterable[int]) -> int:
        return sum(self._versions[number].mails for number in set(numbers))


def _choose_versions(
    versions_by_fallback: Sequence[Sequence[int]], *, people: Sequence[int], mails: Sequence[int], limit: int
) -> set[int]:
    """Return the versions to make, by number. ``found`` has, for each fallback, the version of each group.

    ``people`` are the numbers of people of the groups, ``mails`` those of the versions. It begins with the versions of the last
    fallback, and puts versions with more people in their place.
    """
    chosen, users = list(versions_by_fallback[-1]), Counter(versions_by_fallback[-1])
    level = [len(versions_by_fallback) - 1] * len(chosen)
    made = sum(mails[version] for version in users)
    for fallback, version, members in _list_better(versions_by_fallback[:-1], people=people):
        movers = [index for index in members if level[index] > fallback]
        moved = Counter(chosen[index] for index in movers if chosen[index] != version)
        added = 0 if version in users else mails[version]
        removed = sum(mails[old_version] for old_version, number in moved.items() if users[old_version] == number)
        if movers and made + added - removed <= limit:
            made += added - removed
            users.subtract(moved)
            for old_version in moved:
                if not users[old_version]:
                    del users[old_version]
            users[version] += moved.total()
            for index in movers:
                chosen[index], level[index] = version, fallback
    return set(users)


def _list_better(
    versions_by_fallback: Sequence[Sequence[int]], *, people: Sequence[int]
) -> Iterator[tuple[int, int, list[int]]]:
    """Yield the versions of each fallback with the indexes of their groups, those with the most people first."""
    counted: Counter[tuple[int, int]] = Counter()
    members: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for fallback, versions in enumerate(versions_by_fallback):
        for index, version in enumerate(versions):
            counted[fallback, version] += people[index]
            members[fallback, version].append(index)
    for key, _people in counted.most_common():
        yield *key, members[key]
