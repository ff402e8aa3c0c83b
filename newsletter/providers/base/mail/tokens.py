"""Check the tokens of personal values in a mail, and put a recipient's values in."""

import re
from collections.abc import Iterable, Mapping, Sequence

from newsletter.common.messages import Message
from newsletter.common.personal_tokens import TOKEN, TOKEN_PREFIX, find_tokens, format_token
from newsletter.providers.base.contract import Mail, Recipient
from newsletter.providers.base.errors import BadBatch, BadMail

# Line ends, other control characters and marks that reverse the direction of text: never part of a name or a link.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_UNSAFE_IN_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


def check_tokens(mail: Mail) -> set[str]:
    """Return the name of every personal value that the mail uses.

    Raise BadMail if a token is broken or its value is escaped for another context: a subject, a header and the text part may
    have only ``t_`` values, HTML only ``h_`` and ``u_`` values.
    """
    plain: dict[str, str] = {Message("subject"): mail.subject, Message("text part"): mail.text}
    plain.update({Message("header %(name)s", name=name): value for name, value in mail.headers.items()})
    used = _check_part(mail.html, part=Message("HTML part"), families="hu")
    for part, text in plain.items():
        used |= _check_part(text, part=part, families="t")
    return used


def check_values(recipients: Iterable[Recipient], *, needed: set[str]) -> None:
    """Raise BadBatch if a recipient lacks a value that the mail uses: they would get the raw token."""
    for recipient in recipients:
        missing = needed - recipient.variables.keys()
        if missing:
            raise BadBatch(
                "Delivery %(delivery)s has no value for %(missing)s, which the mail uses. Nothing of this batch "
                "was sent; prepare the send again.",
                delivery=recipient.delivery,
                missing=", ".join(sorted(missing)),
            )


def clean_value(name: str, value: str) -> str:
    """Return a personal value without line breaks and control characters, safe in a header or a link."""
    if value.isprintable():
        return value
    return (_UNSAFE_IN_HTML if name.startswith("h_") else _UNSAFE).sub(" ", value)


def clean_values(recipient: Recipient, *, names: Iterable[str]) -> dict[str, str]:
    """Return these values of a recipient, each made safe by ``clean_value``."""
    return {name: clean_value(name, recipient.variables[name]) for name in names}


def fill_tokens(text: str, variables: Mapping[str, str]) -> str:
    """Return the text with a recipient's values in place of its tokens. Raise BadBatch if a value is missing."""

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in variables:
            raise BadBatch("There is no value for %(name)s, which the mail uses.", name=name)
        return clean_value(name, variables[name])

    return TOKEN.sub(value_of, text)


def find_shared_values(recipients: Sequence[Recipient], *, names: Iterable[str]) -> dict[str, str]:
    """Return which values need not be sent, each with the name of another of its field that is the same for everybody.

    ``t_x`` and ``u_x`` of a link, for example, are often the same text.
    """
    shared: dict[str, str] = {}
    name_by_value: dict[str, str] = {}
    for name in sorted(names, reverse=True):
        first_name = name_by_value.setdefault(name[2:], name)
        if first_name != name and all(
            recipient.variables[name] == recipient.variables[first_name] for recipient in recipients
        ):
            shared[name] = first_name
    return shared


def rename_tokens(text: str, shared: Mapping[str, str]) -> str:
    """Return the text with each token that ``find_shared_values`` found renamed to the value that is sent."""
    for name, new_name in shared.items():
        text = text.replace(format_token(name), format_token(new_name))
    return text


class CompiledText:
    """A text that is cut at its tokens once, so that filling it for each recipient is one join."""

    def __init__(self, text: str) -> None:
        pieces = TOKEN.split(text)
        self._fixed, self._names = pieces[0::2], pieces[1::2]

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with values that ``clean_value`` has made safe. Raise KeyError if one is missing."""
        if not self._names:
            return self._fixed[0]
        out = [self._fixed[0]]
        for name, fixed in zip(self._names, self._fixed[1:], strict=True):
            out += (values[name], fixed)
        return "".join(out)


def has_unsafe_characters(text: str) -> bool:
    """Return True if a text contains a line break, a control character or a mark that reverses its direction."""
    return _UNSAFE.search(text) is not None


def _check_part(text: str, *, part: str, families: str) -> set[str]:
    names = find_tokens(text)
    if text.count(TOKEN_PREFIX) != len(TOKEN.findall(text)):
        raise BadMail(
            "The %(part)s holds a broken personal field (%(prefix)s…). Render the issue again before sending it.",
            part=part,
            prefix=TOKEN_PREFIX,
        )
    for name in sorted(names):
        if name[0] not in families:
            raise BadMail(
                "The %(part)s holds the personal field %(name)s, whose value is written for another part of the mail. "
                "Use a field that begins with %(prefixes)s.",
                part=part,
                name=name,
                prefixes=Message.joined([f"{family}_" for family in families], between=Message(" or ")),
            )
    return names
