"""The matcher of protected terms: built once for the list as it is now, in memory only.

If a term cannot be decrypted, the matcher cannot find it. Callers must then send nothing.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from django.db.models import Count, Max

from newsletter.common.messages import Message
from newsletter.common.sealing import Sealer, list_secret_keys
from newsletter.models import ProtectedTerm
from newsletter.rendering.text_search.matcher import Matcher, mask
from newsletter.rendering.text_search.page_text import read_page

MAX_CACHED_TEXTS = 600
TermsByField = dict[tuple[str, str], frozenset[int]]
"""The ids of terms by the key of a block, or "", and a field, or ""."""
SEALER = Sealer(b"newsletter.protected-terms")


class TermMatcher:
    """Finds terms by their ids. ``unreadable`` is how many terms cannot be decrypted, ``newest`` the newest id or 0.

    It has nothing to find if it is ``idle``.
    """

    def __init__(self, terms: dict[int, str], *, unreadable: int, newest: int) -> None:
        self._matcher = Matcher(terms)
        self._masks = {pk: mask(text) for pk, text in terms.items()}
        self._found: OrderedDict[str, TermsByField] = OrderedDict()
        self._lock = Lock()
        self.unreadable = unreadable
        self.newest = newest
        self.idle = not terms and not unreadable

    def explain_unreadable(self) -> Message | None:
        """Return why nothing may be sent, None if every term was decrypted."""
        if not self.unreadable:
            return None
        return Message(
            "%(count)s protected terms cannot be read with the keys of this installation, so nothing can be searched for "
            "them. Put the old secret key back, or remove these terms from the list.",
            count=self.unreadable,
        )

    def mask(self, term: int) -> str:
        return self._masks[term]

    def find(self, *texts: str) -> frozenset[int]:
        """Return the ids of the terms in these texts. A term does not continue from one text into the next."""
        return frozenset(self._matcher.find("\n----\n".join(filter(None, texts))))

    def find_in_addresses(self, *addresses: str) -> frozenset[int]:
        return frozenset(self._matcher.find_in_addresses(filter(None, addresses)))

    def find_in_page(self, html: str) -> frozenset[int]:
        """Return the ids of the terms in HTML: in its text, its descriptions and its addresses."""
        page = read_page(html)
        return self.find(page.text, *page.words) | self.find_in_addresses(*page.addresses)

    def find_cached(self, name: str, search: Callable[[], TermsByField]) -> TermsByField:
        """Return what ``search`` finds, or found before under this name. The name identifies the text, as a hash does."""
        with self._lock:
            if name in self._found:
                self._found.move_to_end(name)
                return self._found[name]
        terms = search()
        with self._lock:
            self._found[name] = terms
            while len(self._found) > MAX_CACHED_TEXTS:
                self._found.popitem(last=False)
        return terms


_latest: list[tuple[tuple[object, ...], TermMatcher]] = []
"""The matcher that was built last, with what it was built from."""


def get_term_matcher() -> TermMatcher:
    """Return the matcher for the list as it is in the database now."""
    listed = ProtectedTerm.objects.aggregate(terms=Count("pk"), newest=Max("pk"), latest=Max("made_at"))
    state = (*listed.values(), list_secret_keys())
    for known_state, matcher in _latest:
        if known_state == state:
            return matcher
    decrypted = {pk: SEALER.unseal(sealed) for pk, sealed in ProtectedTerm.objects.values_list("pk", "sealed")}
    terms = {pk: text for pk, text in decrypted.items() if text is not None}
    matcher = TermMatcher(terms, unreadable=len(decrypted) - len(terms), newest=max(decrypted, default=0))
    _latest[:] = [(state, matcher)]
    return matcher
