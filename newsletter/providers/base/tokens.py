"""Personal values inside a mail: finding the ``__pv_<name>__`` tokens, checking them, putting values in."""

import re
from collections.abc import Iterable, Mapping, Sequence

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Mail, Person
from newsletter.providers.base.errors import BadBatch, BadMail

TOKEN = re.compile(r"__pv_([hut]_[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*)__")
_MARKER_PREFIX = "__pv_"
# Line ends, other controls and marks that turn the direction of text round: never part of a name or a link.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_UNSAFE_IN_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


def find_tokens(text: str) -> set[str]:
    """Give the names of the personal values that ``text`` asks for, such as ``h_first_name``."""
    return set(TOKEN.findall(text))


def check_tokens(mail: Mail) -> set[str]:
    """Give every personal name that the mail uses.

    Raises BadMail where a token is broken, or stands where its escaping does not fit: a subject, a header and the
    text part take ``t_`` values only, HTML takes ``h_`` and ``u_`` values only.
    """
    plain = {"subject": mail.subject, "text part": mail.text}
    plain.update({f"header {name}": value for name, value in mail.headers.items()})
    used = _check_part(mail.html, part=Message("HTML part"), families="hu")
    for part, text in plain.items():
        used |= _check_part(text, part=part, families="t")
    return used


def check_values(people: Iterable[Person], *, needed: set[str]) -> None:
    """Raise BadBatch where somebody lacks a value that the mail uses: a reader would get the raw token."""
    for person in people:
        missing = needed - person.variables.keys()
        if missing:
            raise BadBatch(
                "Delivery %(delivery)s has no value for %(missing)s, which the mail uses. Nothing of this batch "
                "was sent; prepare the send again.",
                delivery=person.delivery,
                missing=", ".join(sorted(missing)),
            )


def clean_value(name: str, value: str) -> str:
    """Take line breaks and control characters out of a personal value, so that it can stand in a header or a link."""
    if value.isprintable():
        return value
    return (_UNSAFE_IN_HTML if name.startswith("h_") else _UNSAFE).sub(" ", value)


def fill_tokens(text: str, variables: Mapping[str, str]) -> str:
    """Put a person's values in place of the tokens. Raises BadBatch where a value is missing."""

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in variables:
            raise BadBatch("There is no value for %(name)s, which the mail uses.", name=name)
        return clean_value(name, variables[name])

    return TOKEN.sub(value_of, text)


def find_shared_values(people: Sequence[Person], *, names: Iterable[str]) -> dict[str, str]:
    """Of values of one field, such as ``t_x`` and ``u_x``, that are the same for everybody: which stands for which.

    A link is the same text wherever it stands, so a call need not carry it twice.
    """
    shared: dict[str, str] = {}
    kept: dict[str, str] = {}
    for name in sorted(names, reverse=True):
        other = kept.setdefault(name[2:], name)
        if other != name and _column(people, name) == _column(people, other):
            shared[name] = other
    return shared


def _column(people: Sequence[Person], name: str) -> list[str]:
    return [person.variables[name] for person in people]


def rename_tokens(text: str, shared: Mapping[str, str]) -> str:
    """Let the tokens that ``find_shared_values`` found to be spare name the value that stands for them."""
    for name, other in shared.items():
        text = text.replace(f"__pv_{name}__", f"__pv_{other}__")
    return text


class CompiledText:
    """A text cut at its tokens once, so that filling it for each of many people costs a join."""

    def __init__(self, text: str) -> None:
        pieces = TOKEN.split(text)
        self._fixed, self._names = pieces[0::2], pieces[1::2]

    def fill(self, values: Mapping[str, str]) -> str:
        """Put in values that ``clean_value`` has made safe. Every name must be there."""
        out = [self._fixed[0]]
        for name, fixed in zip(self._names, self._fixed[1:], strict=True):
            out += (values[name], fixed)
        return "".join(out)


def has_unsafe_characters(text: str) -> bool:
    """Say whether a one-line text holds a line break, a control character or a mark that turns the direction round."""
    return _UNSAFE.search(text) is not None


def _check_part(text: str, *, part: str, families: str) -> set[str]:
    names = find_tokens(text)
    if text.count(_MARKER_PREFIX) != len(TOKEN.findall(text)):
        raise BadMail(
            "The %(part)s holds a broken personal field (%(beginning)s…). Render the issue again before sending it.",
            part=part,
            beginning=_MARKER_PREFIX,
        )
    for name in sorted(names):
        if name[0] not in families:
            raise BadMail(
                "The %(part)s holds the personal field %(name)s, whose value is written for another place. "
                "Fields that may stand there begin with %(value)s.",
                part=part,
                name=name,
                value=" or ".join(f + "_" for f in families),
            )
    return names
