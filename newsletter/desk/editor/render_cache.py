"""Mails that the desk has rendered, kept while their content stays as it is: the same page is not rendered twice.

Nothing is stored in the database. What is kept is named by the hash of the content and of what is visible of it.
"""

from collections import OrderedDict
from threading import Lock

from django.conf import settings

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import hash_content
from newsletter.issues.variants.render import RenderedVariant, render_visible
from newsletter.issues.variants.visibility import VisibleContent

MAX_ENTRIES = 160
_cache: "OrderedDict[tuple[str, str, str], RenderedVariant]" = OrderedDict()
_lock = Lock()


def render_cached(content: IssueContent, *, visible: VisibleContent, sha256: str = "") -> RenderedVariant:
    """The variant, from memory where it was rendered before. ``sha256`` is the content's hash where it is known already.

    Raises what `render_visible` raises; a failure is not kept.
    """
    name = (sha256 or hash_content(content), visible.key, settings.NEWSLETTER_SITE_URL)
    with _lock:
        if name in _cache:
            _cache.move_to_end(name)
            return _cache[name]
    rendered = render_visible(content, visible=visible)
    with _lock:
        _cache[name] = rendered
        while len(_cache) > MAX_ENTRIES:
            _cache.popitem(last=False)
    return rendered


def clear_render_cache() -> None:
    """Empty the memory, as a change of templates needs."""
    with _lock:
        _cache.clear()
