"""The first tests of every suite: the extension is installed, found by its name, and works."""

from typing import TypeVar

from newsletter.common.extension_registry import Extension, Registry

Kind = TypeVar("Kind", bound=Extension)


def find_registered(registry: Registry[Kind], name: str) -> Kind:
    """Return the installed extension of this name. Raise AssertionError, with the reason if it was left out."""
    broken = registry.find_broken(name)
    assert broken is None, f"{name} was left out: {broken.reason}. {broken.do}" if broken else ""
    assert name in registry, f"No installed package has the entry point {name} in the group {registry.group}."
    return registry[name]
