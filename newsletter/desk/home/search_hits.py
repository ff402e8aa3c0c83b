"""The hits of the desk's search, as its page shows them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hit:
    title: str
    url: str
    detail: str = ""


@dataclass(frozen=True)
class HitGroup:
    """The hits of one kind. ``all_url`` leads to the list with the same search, "" if the hits are all there are."""

    title: str
    hits: list[Hit]
    all_url: str = ""
