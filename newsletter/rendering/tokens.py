"""Personal values as opaque tokens ``__pv_<name>__``: their names, their count, and what may not look like one.

Family ``h`` stands in HTML text, ``u`` is a whole link in HTML, ``t`` stands in plain text, the subject and headers.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from newsletter.common.messages import Message
from newsletter.rendering.errors import TokenLostError

Context = Literal["h", "u", "t"]
TOKEN = re.compile(r"__pv_([hut]_[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*)__")
MARKER_PREFIX = "__pv_"
_LOOKALIKE = re.compile("__(?=pv_)", re.IGNORECASE)
_WORD_JOINER = "\u2060"


@dataclass(frozen=True)
class Variable:
    """One personal value of a mail: its token's name, the person's field, and what stands where that is blank."""

    token: str
    field: str
    default: str
    context: Context


LINKS = tuple(
    Variable(token=f"{context}_{name}", field=name, default="", context=context)
    for name in ("preferences", "unsubscribe")
    for context in ("t", "u")
)


@dataclass
class TokenRegistry:
    """The variables of one mail. The same field, default and context always share one token."""

    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=lambda: {link.token: link for link in LINKS})

    def token(self, *, name: str, default: str, context: Context) -> str:
        """The fenced token for a field of the person."""
        same_name = [number for (known, _), number in self.numbers.items() if known == name]
        number = self.numbers.setdefault((name, default), len(same_name) + 1)
        token = f"{context}_{name}_{number}"
        self.variables[token] = Variable(token=token, field=name, default=default, context=context)
        return format_token(token)

    def sorted_variables(self) -> tuple[Variable, ...]:
        """All variables in the order of their tokens, so that the same document gives the same bytes."""
        return tuple(self.variables[token] for token in sorted(self.variables))


def format_token(token: str) -> str:
    """The token as it stands in text."""
    return f"__pv_{token}__"


def count_tokens(text: str) -> Counter[str]:
    """How often each token stands in a text."""
    return Counter(TOKEN.findall(text))


def assert_tokens_kept(*, before: str, after: str, step: str) -> None:
    """Raise TokenLostError unless both texts hold the same tokens equally often, and nothing that is half a token."""
    was, now = count_tokens(before), count_tokens(after)
    if was != now or after.count(MARKER_PREFIX) != now.total():
        changed = sorted((was - now) | (now - was)) or [Message("a broken token")]
        raise TokenLostError(
            "The personal fields %(changed)s did not survive the step “%(step)s”. This mail cannot be sent: "
            "undo the last change of the block or template that holds them.",
            changed=", ".join(changed),
            step=step,
        )


def escape_token_lookalikes(text: str) -> str:
    """Text in which nothing can be taken for a token; it looks the same to a reader."""
    return _LOOKALIKE.sub(f"_{_WORD_JOINER}_", text)
