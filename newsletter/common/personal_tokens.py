"""The tokens ``__pv_<name>__`` for personal values in a mail.

Rendering writes them and providers fill them in. The first letter of a name says where its value may be: ``h`` in HTML text,
``u`` as a complete link in HTML, ``t`` in plain text, the subject and headers.
"""

import re

TOKEN_PREFIX = "__pv_"  # noqa: S105 - a mark in mails, not a secret
TOKEN = re.compile(r"__pv_([hut]_[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*)__")


def format_token(name: str) -> str:
    """Return the token of a name as it is written in text."""
    return f"{TOKEN_PREFIX}{name}__"


def find_tokens(text: str) -> set[str]:
    """Return the names of the personal values that the text asks for, such as ``h_first_name``."""
    return set(TOKEN.findall(text))
