"""How many bytes a mail and a person's values come to in a call, so that sending can cut batches that fit."""

from collections.abc import Mapping

import orjson

from newsletter.providers.base.contract import Mail


def mail_bytes(mail: Mail) -> int:
    """Give the bytes of the mail as JSON text, its tokens as they stand."""
    return len(orjson.dumps([mail.subject, mail.html, mail.text, dict(mail.headers)]))


def variable_bytes(variables: Mapping[str, str]) -> int:
    """Give the bytes of one person's values as JSON text."""
    return len(orjson.dumps(dict(variables)))
