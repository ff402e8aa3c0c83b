"""The watch over protected terms: opened and made once for the list as it is now, then asked for texts, contents and mails.

In memory alone. Where a term cannot be opened, the watch is blind, and whoever asks it must let nothing out.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from django.db.models import Count, Max

from newsletter.issues.protected_terms.encryption import secret_keys, unseal
from newsletter.models import ProtectedTerm
from newsletter.rendering.text_search.matcher import Matcher, mask
from newsletter.rendering.text_search.page_text import read_page

MAX_CACHED_TEXTS = 600
_Found = TypeVar("_Found")


class TermMatcher:
    """``lost`` is how many terms cannot be opened, ``newest`` the id of the newest term, 0 where there is none.

    What was found in a text that has a name is remembered by it.
    """

    def __init__(self, terms: dict[int, str], *, lost: int, newest: int) -> None:
        self._matcher = Matcher(terms)
        self._masks = {number: mask(text) for number, text in terms.items()}
        self._found: OrderedDict[str, Any] = OrderedDict()
        self._lock = Lock()
        self.lost = lost
        self.newest = newest
        self.idle = not terms and not lost

    def mask(self, number: int) -> str:
        return self._masks[number]

    def find(self, *texts: str) -> frozenset[int]:
        """The terms in these texts, none of which goes on in the next."""
        return frozenset(self._matcher.find("\n----\n".join(filter(None, texts))))

    def find_in_addresses(self, *addresses: str) -> frozenset[int]:
        return frozenset(self._matcher.find_in_addresses(filter(None, addresses)))

    def find_in_page(self, html: str) -> frozenset[int]:
        """The terms in a page or a piece of one: its text, its descriptions, its addresses."""
        page = read_page(html)
        return self.find(page.text, *page.words) | self.find_in_addresses(*page.addresses)

    def find_cached(self, name: str, look: Callable[[], _Found]) -> _Found:
        """What ``look`` finds, or found before under this name: a name names its text, as a hash does."""
        with self._lock:
            if name in self._found:
                self._found.move_to_end(name)
                known: _Found = self._found[name]
                return known
        found = look()
        with self._lock:
            self._found[name] = found
            while len(self._found) > MAX_CACHED_TEXTS:
                self._found.popitem(last=False)
        return found


_now: list[tuple[tuple[Any, ...], TermMatcher]] = []


def get_term_matcher() -> TermMatcher:
    """The watch over the list as it is in the database at this moment."""
    listed = ProtectedTerm.objects.aggregate(terms=Count("pk"), newest=Max("pk"), latest=Max("made_at"))
    name = (*listed.values(), secret_keys())
    for known, watch in _now:
        if known == name:
            return watch
    rows = ProtectedTerm.objects.values_list("pk", "sealed")
    opened = {pk: unseal(sealed) for pk, sealed in rows}
    terms = {pk: text for pk, text in opened.items() if text is not None}
    watch = TermMatcher(terms, lost=len(opened) - len(terms), newest=max(opened, default=0))
    _now[:] = [(name, watch)]
    return watch


def clear_term_matcher() -> None:
    """The next one reads the list again."""
    _now.clear()
