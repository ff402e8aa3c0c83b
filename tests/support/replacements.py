"""Replacements of functions, attributes and items that a test makes with `monkeypatch` or `unittest.mock`.

`repeat_rows` runs a builder again while there are any, because they may change what it does.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from unittest import mock

import pytest

_BEGINNINGS: dict[type, tuple[str, ...]] = {
    pytest.MonkeyPatch: ("setattr", "delattr", "setitem", "delitem"),
    mock._patch: ("__enter__",),
    mock._patch_dict: ("_patch_dict",),  # a decorator calls it without `__enter__`
}
_ENDS = {pytest.MonkeyPatch: "undo", mock._patch: "__exit__", mock._patch_dict: "_unpatch_dict"}
_DJANGOS_OWN = "ensure_connection"  # Django's `TestCase` replaces it for each test
_active: dict[int, Any] = {}


def are_active() -> bool:
    """Return True if the running test replaces something."""
    return bool(_active)


@pytest.fixture(scope="session", autouse=True)
def watched_replacements(quick_to_begin: None, quick_to_end: None, without_kept_figures: None) -> Iterator[None]:
    """Notice what tests replace. What the whole run replaces is the same for each test, and does not count."""
    with pytest.MonkeyPatch.context() as ours:
        for kind, names in _BEGINNINGS.items():
            for name in names:
                ours.setattr(kind, name, _note(getattr(kind, name), _begin))
            ours.setattr(kind, _ENDS[kind], _note(getattr(kind, _ENDS[kind]), _end))
        _active.clear()
        yield


def _begin(holder: Any) -> None:
    if getattr(holder, "attribute", "") != _DJANGOS_OWN:
        _active[id(holder)] = holder


def _end(holder: Any) -> None:
    _active.pop(id(holder), None)


def _note(method: Callable[..., Any], remember: Callable[[Any], None]) -> Callable[..., Any]:
    @wraps(method)
    def note(holder: Any, *arguments: Any, **named: Any) -> Any:
        remember(holder)
        return method(holder, *arguments, **named)

    return note
