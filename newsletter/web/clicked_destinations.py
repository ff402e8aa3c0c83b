"""Find the destination of a counted link to which a mail program or a reader added something. Only its signature decides."""

import re
from collections.abc import Iterator

from newsletter.common.errors import BadLink
from newsletter.issues.variants.click_links import verify_click
from newsletter.web.layers.mended_links import LINE_BREAK, WHITE_SPACE

_ADDED = ".,;:!?=)>]'\""
_MAX_ADDED = 5
_ARM = re.compile(r"[1-4](?!\d)")


def find_destination(*, issue: str, mac: str, to: str, arm: int) -> str:
    """Return the destination that we signed for readers of this subject. Raise BadLink if there is none."""
    for url in _list_destinations(to):
        try:
            verify_click(issue=issue, mac=mac, url=url, arm=arm)
        except BadLink:
            continue
        return url
    verify_click(issue=issue, mac=mac, url=to, arm=arm)
    return to


def parse_arm(text: str) -> int:
    """Return the subject of a test that a link names, whatever follows it; 0 if it names none."""
    found = _ARM.match(text)
    return int(found[0]) if found else 0


def _list_destinations(to: str) -> Iterator[str]:
    """Return the text as it is, then without line breaks or what follows white space, and without marks at its end."""
    yield to
    unbroken = LINE_BREAK.sub("", to)
    cut = (WHITE_SPACE.split(unbroken)[0], WHITE_SPACE.split(to)[0])
    joined = (WHITE_SPACE.sub("", unbroken), WHITE_SPACE.sub("", to))
    for text in dict.fromkeys((*cut, *joined)):
        yield text
        for end in range(1, _MAX_ADDED + 1):
            if len(text) < end or text[-end] not in _ADDED:
                break
            yield text[:-end]
