"""Name the tokens of a mail's personal values, check that no step loses one, and keep other text from looking like one."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from newsletter.common.messages import Message
from newsletter.common.personal_tokens import TOKEN, TOKEN_PREFIX, format_token
from newsletter.rendering.errors import TokenLostError

Context = Literal["h", "u", "t"]
_LOOKALIKE = re.compile("__(?=pv_)", re.IGNORECASE)
_WORD_JOINER = "\u2060"


@dataclass(frozen=True)
class Variable:
    """One personal value of a mail: its token's name, the person's field, and the default for a blank one."""

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
    """The variables of one mail. A field with the same default and context has one token."""

    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=lambda: {link.token: link for link in LINKS})

    def token(self, *, name: str, default: str, context: Context) -> str:
        """Return the token of a person's field, as written in text."""
        same_name = [number for (other, _), number in self.numbers.items() if other == name]
        number = self.numbers.setdefault((name, default), len(same_name) + 1)
        token = f"{context}_{name}_{number}"
        self.variables[token] = Variable(token=token, field=name, default=default, context=context)
        return format_token(token)

    def sorted_variables(self) -> tuple[Variable, ...]:
        """Return all variables in the order of their tokens, so that the same document makes the same bytes."""
        return tuple(self.variables[token] for token in sorted(self.variables))


def count_tokens(text: str) -> Counter[str]:
    """Return how many times each token is in a text."""
    return Counter(TOKEN.findall(text))


def assert_tokens_kept(*, before: str, after: str, step: str) -> None:
    """Raise TokenLostError unless both texts have the same number of each token, and no part of one."""
    was, now = count_tokens(before), count_tokens(after)
    if was != now or after.count(TOKEN_PREFIX) != now.total():
        changed = sorted((was - now) | (now - was)) or [Message("a broken token")]
        raise TokenLostError(
            "The step “%(step)s” lost the personal fields %(changed)s. This mail cannot be sent: "
            "undo the last change of the block or template that holds them.",
            changed=", ".join(changed),
            step=step,
        )


def escape_token_lookalikes(text: str) -> str:
    """Return text that looks the same and in which nothing can be taken for a token."""
    return _LOOKALIKE.sub(f"_{_WORD_JOINER}_", text)
