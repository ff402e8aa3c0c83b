"""Fills in every distinct shape that readers' data can have, before anybody approves: what cannot be filled is not sent (F16).

A reader's field is there, blank, or as odd as the database can hold it. Which of these somebody has does not matter then.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from newsletter.common.messages import Message
from newsletter.common.personal_tokens import TOKEN_PREFIX
from newsletter.models import Variant
from newsletter.rendering.errors import RenderingError
from newsletter.rendering.fragments import split
from newsletter.rendering.merge import FIELDS
from newsletter.rendering.tokens import Variable
from newsletter.rendering.values import values_for

_ODD_CHARACTERS = "\"'<&>\u202e{{ x }}%recipient.x%\r\nBcc: x@example.org\x00\U0001f600\u0301"
ODD_VALUE = (_ODD_CHARACTERS * 8)[:200]
_LINK = "https://example.org/link?a=1&b=2"


def find_merge_field_error(variant: Variant) -> str:
    """Why the variant's mail cannot be made for readers of some shape, in words; "" where it can for all."""
    variables = tuple(Variable(**each) for each in variant.variables)
    parts = {"subject": split(variant.subject), "HTML": split(variant.html), "text": split(variant.text)}
    for shape in _iter_field_values({variable.field for variable in variables}):
        try:
            values = values_for(variables=variables, fields=shape)
            filled = {part: fragments.join(values) for part, fragments in parts.items()}
        except RenderingError as error:
            return str(error)
        except KeyError as error:
            return Message("Its personal field %(error)s has no value that could stand there.", error=error)
        left = [part for part, text in filled.items() if TOKEN_PREFIX in text]
        if left:
            return Message("A personal field is left unfilled in its %(left)s.", left=", ".join(left))
    return ""


def _iter_field_values(used: set[str]) -> Iterator[Mapping[str, str]]:
    """Each field that the mail uses: blank, ordinary and odd, in every combination. Links are always there."""
    personal = sorted(used.intersection(FIELDS))
    links = dict.fromkeys(used - set(FIELDS), _LINK)
    choices: Sequence[Sequence[str]] = [("", "Amina", ODD_VALUE)] * len(personal)
    for values in product(*choices):
        yield {**links, **dict(zip(personal, values, strict=True))}
