"""Hold a line if another column may say that the person unsubscribed: a date, or a column that becomes an attribute.

Names and values are guessed here in favour of the person. `subscription_state` reads those that are certain.
"""

import re
from collections.abc import Iterable, Mapping

from newsletter.common.messages import Message
from subscribers.attribute_rules import attribute_key
from subscribers.importing.reading.parsed_rows import RefusalKind, RowKind
from subscribers.importing.reading.subscription_state import Refusal, is_filled, is_no, is_yes, says_not_subscribed
from subscribers.importing.reading.translated_columns import POSSIBLE_STATES

_KEYS = frozenset(map(attribute_key, POSSIBLE_STATES))
_OPT_OUT = re.compile(
    r"unsub|blacklist|blocklist|suppress|opt(ed)?_?out|do_not_(e?mail|contact)|désabonn|désinscri|abgemeldet|abbestell"
)
_OPT_IN = re.compile(r"newsletter|consent|opt(ed)?_?in(_|$)|subscri(bed|ption)|einwilligung|abonn|marketing_status")
_OTHER_MEDIA = re.compile(r"sms|phone|call|fax|whatsapp|post_|postal|print|reason|grund|motivo")


def may_say_who_left(key: str) -> bool:
    """Return True for the key of an attribute that may say who unsubscribed."""
    return key in _KEYS or (bool(_OPT_OUT.search(key) or _OPT_IN.search(key)) and not _OTHER_MEDIA.search(key))


def find_unclear_state(
    left_on: Iterable[str], possible: Mapping[str, str], *, is_stated: bool
) -> tuple[str, Refusal | None]:
    """Return what else may say that a person unsubscribed, as `find_state` does.

    ``left_on`` are dates of unsubscribing. ``possible`` has values of attributes of `may_say_who_left` by their keys.
    ``is_stated``: other columns say that the person is subscribed.
    """
    day = next(filter(is_filled, left_on), "").strip()
    if day and not is_stated:
        return RowKind.UNSUBSCRIBED_LIST, None
    if day:
        return RowKind.JOIN, _refuse_contradiction(day)
    for key, text in possible.items():
        may_stop = is_yes if _OPT_OUT.search(key) else is_no
        if may_stop(text) or says_not_subscribed(text):
            return RowKind.JOIN, _refuse_possible_state(key, text)
    return RowKind.JOIN, None


def _refuse_contradiction(day: str) -> Refusal:
    return RefusalKind.UNKNOWN_STATUS, Message(
        "This line has a date of unsubscribing or bouncing, “%(day)s”, but says that the person is subscribed. So it "
        "was not imported. Correct it, or leave one of these columns out.",
        day=day[:40],
    )


def _refuse_possible_state(key: str, text: str) -> Refusal:
    return RefusalKind.UNKNOWN_STATUS, Message(
        "The column “%(column)s” says “%(text)s”. This may mean that the person gets no mail, so the line was not "
        "imported. Choose the field of this column, such as status. If it means something else, rename it to "
        "“attribute:%(column)s”.",
        column=key.replace("_", " "),
        text=text.strip()[:40],
    )
