"""Mails rendered for the desk, kept in memory by the hash of their content and of its visible part."""

from collections import OrderedDict
from threading import Lock

from django.conf import settings

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.render import RenderedVariant, render_visible
from newsletter.issues.visible.visible_content import VisibleContent

MAX_ENTRIES = 160
_cache: "OrderedDict[tuple[str, str, str], RenderedVariant]" = OrderedDict()
_lock = Lock()


def render_cached(content: IssueContent, *, visible: VisibleContent, sha256: str) -> RenderedVariant:
    """Return the variant, from memory if possible. ``sha256`` is the content's hash.

    Raises what `render_visible` raises. Failures are not kept.
    """
    key = (sha256, visible.key, settings.NEWSLETTER_SITE_URL)
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
    rendered = render_visible(content, visible=visible)
    with _lock:
        _cache[key] = rendered
        while len(_cache) > MAX_ENTRIES:
            _cache.popitem(last=False)
    return rendered
