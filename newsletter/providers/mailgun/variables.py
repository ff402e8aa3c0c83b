"""Mailgun's variables: tokens become ``%recipient.name%``, and one table holds every value of every address."""

import re
from collections.abc import Iterable

import orjson

from newsletter.common.personal_tokens import TOKEN
from newsletter.providers.base.contract import Recipient
from newsletter.providers.base.errors import BadMail
from newsletter.providers.base.mail.headers import encode_header
from newsletter.providers.base.mail.tokens import clean_value, find_shared_values
from newsletter.providers.base.prepared_batch import PreparedBatch

VARIABLES = "recipient-variables"
_VARIABLE = re.compile(r"%recipient\.([^%\s]*)%", re.IGNORECASE)
# What Mailgun replaces: %recipient…%, %unsubscribe_url%, %tag_unsubscribe_email% and the like.
_FOREIGN = re.compile(r"%(?=\s*(?:recipient|(?:[a-z]+_)*unsubscribe))", re.IGNORECASE)
_WORD_JOINER = "\u2060"


class RecipientVariables:
    """The table of recipient variables.

    ``names`` are the values that are sent; ``shared`` gives each one left out and the name that has the same value.
    Everybody has every name: a variable that one recipient lacks would reach them as a raw token.
    """

    def __init__(self, prepared: PreparedBatch) -> None:
        self._people = prepared.people
        recipients = [recipient for _, recipient in prepared.people]
        self._is_plain = _are_all_plain(recipients, prepared.needed)
        self.shared = find_shared_values(recipients, names=prepared.needed) if self._is_plain else {}
        self.names = sorted(prepared.needed - self.shared.keys())

    def as_json(self) -> bytes:
        """Return the table, by address."""
        return orjson.dumps({address: self._list_values(recipient) for address, recipient in self._people})

    def _list_values(self, recipient: Recipient) -> dict[str, str]:
        variables = recipient.variables
        if self._is_plain:
            values = {name: variables[name] for name in self.names}
        else:
            values = {name: write_value(name, clean_value(name, variables[name])) for name in self.names}
        values["did"] = str(recipient.delivery)
        return values


def write_html(text: str) -> str:
    """Return an HTML part. A foreign variable looks as before, but its percent sign is a character entity."""
    return _replace_tokens(_FOREIGN.sub("&#37;", text))


def write_text(text: str) -> str:
    """Return a subject or text part. An invisible word joiner breaks a foreign variable."""
    return _replace_tokens(_FOREIGN.sub(f"%{_WORD_JOINER}", text))


def write_header(text: str) -> str:
    """Return a header's value in ASCII. A space breaks a foreign variable."""
    return _replace_tokens(encode_header(_FOREIGN.sub("% ", text)))


def write_value(name: str, text: str) -> str:
    """Return a personal value: the name ``%recipient.x%`` of a recipient is shown as it is, not replaced."""
    if "%" not in text:
        return text
    return _FOREIGN.sub("&#37;" if name[0] in "hu" else f"%{_WORD_JOINER}", text)


def check_variables(parts: Iterable[str], *, declared: set[str]) -> None:
    """Raise BadMail unless the variables in the parts are exactly the declared ones."""
    used = {name for part in parts for name in _VARIABLE.findall(part)}
    if used != declared:
        raise BadMail(
            "The mail’s personal fields do not add up (%(names)s). Nothing was sent; render the issue again.",
            names=", ".join(sorted(used ^ declared)),
        )


def _replace_tokens(text: str) -> str:
    return TOKEN.sub(lambda match: f"%recipient.{match.group(1)}%", text)


def _are_all_plain(recipients: Iterable[Recipient], names: set[str]) -> bool:
    """Return True if no value has a percent sign or a character that does not print. Then none needs cleaning."""
    joined = "".join([recipient.variables[name] for recipient in recipients for name in names])
    return "%" not in joined and joined.isprintable()
