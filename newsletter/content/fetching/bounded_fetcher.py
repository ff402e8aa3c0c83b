"""A fetcher with one time limit for all of its requests, for pages that a person waits for."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from newsletter.content.fetching.errors import TooSlow
from newsletter.content.fetching.fetcher import FEED, Fetched, Fetcher, Limits


class BoundedFetcher(Fetcher):
    """Fetch like ``Fetcher``, but refuse every request that would end later than ``seconds`` after its creation."""

    def __init__(self, *, allow: Sequence[str], seconds: float) -> None:
        super().__init__(allow=allow)
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def fetch(self, url: str, *, limits: Limits = FEED, **options: Any) -> Fetched:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooSlow("The site took longer than %(seconds)s seconds to answer.", seconds=f"{self._seconds:.0f}")
        bounded = replace(
            limits,
            connect=min(limits.connect, left),
            first_byte=min(limits.first_byte, left),
            total=min(limits.total, left),
        )
        return super().fetch(url, limits=bounded, **options)
