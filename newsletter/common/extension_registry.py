"""Find installed extensions: entry points, read once and loaded when first used. Our own kinds are found the same way.

An extension that cannot be used is left out, logged once and listed as broken. It stops nothing else.
"""

import inspect
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from threading import RLock
from typing import ClassVar, Generic, Protocol, TypeVar

from newsletter.common.errors import DomainError
from newsletter.common.installed_entry_points import OWN_PACKAGE, list_entry_points
from newsletter.common.messages import Message

INTERFACE = 1
"""The version of the interfaces of extensions. It rises when an extension of before would not work any more."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,19}")

log = logging.getLogger(__name__)


class Extension:
    """Base of every extension. ``interface`` is the version of the interfaces for which it was written."""

    interface: ClassVar[int]


class BadExtension(DomainError):
    """An extension cannot be used. The message is the reason, as a clause."""


class MissingExtension(DomainError):
    """The extension with this kind is broken or not installed."""


@dataclass(frozen=True)
class BrokenExtension:
    """An extension that was left out. ``reason`` says why, ``do`` what helps."""

    group: str
    name: str
    package: str
    reason: Message
    do: Message


class AnyRegistry(Protocol):
    """The part of a registry that is the same for all groups."""

    def __len__(self) -> int: ...

    def list_broken(self) -> list[BrokenExtension]: ...

    def forget(self) -> None: ...


Kind = TypeVar("Kind", bound=Extension)
Part = TypeVar("Part")


class Registry(Mapping[str, Kind], Generic[Kind]):
    """The working extensions of one group, by name: those of ``order``, then the others of ours, then those of other packages.

    Installed entry points have no fixed order, and people see these lists. ``check`` raises BadExtension for an
    extension that is no good although it has every method.
    """

    def __init__(
        self,
        group: str,
        base: type[Kind],
        *,
        order: Sequence[str] = (),
        check: Callable[[str, Kind], None] = lambda name, made: None,
    ) -> None:
        self.order = tuple(order)
        self.group = group
        self._base = base
        self._check = check
        self._lock = RLock()
        self._declared: dict[str, EntryPoint] | None = None
        self._loaded: dict[str, Kind | None] = {}
        self._broken: dict[tuple[str, str], BrokenExtension] = {}

    def __getitem__(self, name: str) -> Kind:
        kind = self._load(name)
        if kind is None:
            raise KeyError(name)
        return kind

    def __iter__(self) -> Iterator[str]:
        return (name for name in list(self._find_declared()) if self._load(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def load_own(self) -> None:
        """Load our own kinds, and no others."""
        for name, entry in list(self._find_declared().items()):
            if _get_package(entry) == OWN_PACKAGE:
                self._load(name)

    def list_broken(self) -> list[BrokenExtension]:
        """Load every extension of the group, and return those that were left out."""
        len(self)
        return list(self._broken.values())

    def find_broken(self, name: str) -> BrokenExtension | None:
        """Return why the extension of this name was left out, or None without such an extension or if it works."""
        if self._load(name) is not None:
            return None
        return next((broken for broken in self._broken.values() if broken.name == name), None)

    def explain_missing(self, name: str) -> Message:
        """Return a sentence on why nothing of this name is here, and what to do."""
        if broken := self.find_broken(name):
            return Message(
                "It comes with the extension “%(package)s”, which could not be loaded: %(reason)s. %(do)s",
                package=broken.package,
                reason=broken.reason,
                do=broken.do,
            )
        return Message("It comes with an extension that is not installed. Install the extension again.")

    def forget(self) -> None:
        """Read the entry points again at the next use."""
        with self._lock:
            self._declared = None
            self._loaded.clear()
            self._broken.clear()

    def _find_declared(self) -> Mapping[str, EntryPoint]:
        with self._lock:
            if self._declared is None:
                self._declared = {}
                for package, entry in list_entry_points(self.group):
                    self._declare(package, entry)
                positions = {name: position for position, name in enumerate(self.order)}
                last = len(positions)
                self._declared = dict(sorted(self._declared.items(), key=lambda item: positions.get(item[0], last)))
            return self._declared

    def _declare(self, package: str, entry: EntryPoint) -> None:
        declared = self._declared if self._declared is not None else {}
        if not _NAME.fullmatch(entry.name):
            self._leave_out(
                entry.name,
                package,
                Message("its name is not of at most 20 small letters, digits and underscores"),
                do=_ASK_THE_AUTHORS,
            )
        elif entry.name in declared:
            other_package = _get_package(declared[entry.name])
            self._leave_out(
                entry.name,
                package,
                Message("the name is taken by the package “%(other)s”", other=other_package),
                do=Message("Remove one of the two packages."),
            )
        else:
            declared[entry.name] = entry

    def _load(self, name: str) -> Kind | None:
        with self._lock:
            declared = self._find_declared()
            if name not in declared:
                return None
            if name not in self._loaded:
                self._loaded[name] = self._try_to_load(name, declared[name])
            return self._loaded[name]

    def _try_to_load(self, name: str, entry: EntryPoint) -> Kind | None:
        """Return the extension. If its code fails in any way, only this extension is left out."""
        package = _get_package(entry)
        try:
            kind = entry.load()
            _require_interface(kind)
            _require_base(kind, self._base)
            instance: Kind = kind()
            self._check(name, instance)
        except _WrongInterface as error:
            do = Message("Install a version of it that is made for this version of the newsletter.")
            self._leave_out(name, package, error.message, do=do)
        except BadExtension as error:
            self._leave_out(name, package, error.message, do=_ASK_THE_AUTHORS)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the code of strangers may raise anything
            reason = Message(
                "its code fails with %(kind)s: %(error)s", kind=type(error).__name__, error=str(error)[:300]
            )
            self._leave_out(name, package, reason, do=Message("Install it again with all that it needs, or remove it."))
        else:
            return instance
        return None

    def _leave_out(self, name: str, package: str, reason: Message, *, do: Message) -> None:
        self._broken[name, package] = BrokenExtension(self.group, name, package, reason, do)
        log.warning("The extension %s (%s, %s) could not be loaded: %s.", name, self.group, package, reason)


class RegistryPart(Mapping[str, Part], Generic[Kind, Part]):
    """One part of every working extension, by name."""

    def __init__(self, registry: Registry[Kind], part: Callable[[Kind], Part]) -> None:
        self._registry = registry
        self._part = part

    def __getitem__(self, name: str) -> Part:
        return self._part(self._registry[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry)

    def __len__(self) -> int:
        return len(self._registry)


class _WrongInterface(BadExtension):
    pass


_ASK_THE_AUTHORS = Message("Ask its authors for a corrected version, or remove it.")


def _require_interface(kind: object) -> None:
    """The first check, so that an extension of another interface always has this one answer."""
    version = getattr(kind, "interface", None)
    if version is None:
        raise _WrongInterface("it does not say for which interface it was written")
    if version != INTERFACE:
        raise _WrongInterface(
            "it is written for interface %(theirs)s, and this version has interface %(ours)s",
            theirs=str(version),
            ours=INTERFACE,
        )


def _require_base(loaded: object, base: type[Extension]) -> None:
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        raise BadExtension("it is no subclass of %(base)s", base=base.__name__)
    lacking = sorted(getattr(loaded, "__abstractmethods__", ())) or [
        name
        for parent in base.__mro__
        for name, kind in inspect.get_annotations(parent).items()
        if getattr(kind, "__origin__", None) is ClassVar and not hasattr(loaded, name)
    ]
    if lacking:
        raise BadExtension("it lacks %(names)s", names=", ".join(lacking))


def _get_package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else OWN_PACKAGE
