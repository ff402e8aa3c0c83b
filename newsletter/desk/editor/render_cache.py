"""Mails that the desk has rendered, kept while their content stays as it is: the same page is not rendered twice.

Nothing is stored in the database. What is kept is named by the hash of the content and of what is visible of it.
"""

from collections import OrderedDict
from threading import Lock

from django.conf import settings

from newsletter.issues.snapshot.resolve import Content, hash_content
from newsletter.issues.variants.render import Rendered, render_visible
from newsletter.issues.variants.visible import Visible

MOST = 160
_kept: "OrderedDict[tuple[str, str, str], Rendered]" = OrderedDict()
_lock = Lock()


def render_once(content: Content, *, visible: Visible, sha256: str = "") -> Rendered:
    """The variant, from memory where it was rendered before. ``sha256`` is the content's hash where it is known already.

    Raises what `render_visible` raises; a failure is not kept.
    """
    name = (sha256 or hash_content(content), visible.key, settings.NEWSLETTER_SITE_URL)
    with _lock:
        if name in _kept:
            _kept.move_to_end(name)
            return _kept[name]
    rendered = render_visible(content, visible=visible)
    with _lock:
        _kept[name] = rendered
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    return rendered


def forget_rendered() -> None:
    """Empty the memory, as a change of templates needs."""
    with _lock:
        _kept.clear()
