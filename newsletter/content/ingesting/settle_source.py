"""Settle address, kind and key of a source that somebody gives, and try it. Nothing is saved while another site is asked."""

from dataclasses import dataclass, field
from datetime import datetime

from newsletter.common.errors import DomainError, InUse, NotReady
from newsletter.content.ingesting.apis.source_keys import may_keep_key, open_key
from newsletter.content.ingesting.find_sources import find_sources
from newsletter.content.ingesting.source_trial import try_source
from newsletter.content.parsing.apis.addresses import read_source_address
from newsletter.content.parsing.source_kind import SOURCE_KINDS
from newsletter.models import Source


class BadSource(DomainError):
    """Nothing can be read at the address that was given."""


@dataclass(frozen=True)
class TypedSource:
    """The settings of a source, ready to be saved. ``key`` is None to keep the saved one."""

    url: str
    kind: str
    key: str | None = field(default=None, repr=False)


def settle_source(
    *, url: str, kind: str, key: str | None, enabled: bool, existing: Source | None, now: datetime
) -> TypedSource:
    """Return the source in its usual form, with the kind that was found there if none was given.

    An ``enabled`` one is read once, within ten seconds. ``existing`` is the saved source, or None for a new one. Its key is never
    sent to another address. Raises InUse if another source has the address, BadSource if it cannot be read.
    """
    address = read_source_address(url, kind=kind)
    typed = TypedSource(address.url, address.kind, key or address.key or key)
    if existing is not None and typed.key is None and not may_keep_key(existing, url=typed.url, kind=typed.kind):
        typed = TypedSource(typed.url, typed.kind, "")
    was_read = False
    if not typed.kind:
        typed, was_read = _find_kind(typed, now=now), True
    if typed.kind not in SOURCE_KINDS:
        raise BadSource(
            "There is no kind of source “%(kind)s”. There are: %(known)s. If it comes with an extension, install its package "
            "here first.",
            kind=typed.kind,
            known=", ".join(SOURCE_KINDS),
        )
    if SOURCE_KINDS[typed.kind].key == "none":
        typed = TypedSource(typed.url, typed.kind, "")
    same = next((one for one in Source.objects.filter(url=typed.url) if one != existing), None)
    if same is not None:
        raise InUse("You already have this source: %(source)s.", source=same)
    if enabled and not was_read:
        trial = try_source(kind=typed.kind, url=typed.url, key=_find_key(typed, existing), now=now)
        if trial.error:
            raise BadSource(
                "This address could not be read: %(error)s Correct it, choose another kind, or save the source out of use.",
                error=trial.error,
            )
    return typed


def _find_kind(typed: TypedSource, *, now: datetime) -> TypedSource:
    found = [one for one in find_sources(typed.url, now=now) if not one.needs_key]
    if not found:
        raise BadSource(
            "No stories or events were found at this address. Give the address of a news or blog page, or choose the kind."
        )
    first = next((one for one in found if one.url == typed.url), found[0])
    return TypedSource(first.url, first.kind, typed.key)


def _find_key(typed: TypedSource, existing: Source | None) -> str:
    if typed.key is not None or existing is None:
        return typed.key or ""
    try:
        return open_key(existing)
    except NotReady:
        return ""
