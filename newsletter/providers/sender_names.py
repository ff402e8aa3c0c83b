"""Find sender names that pretend to be another sender. Mailbox providers reject a name with an address as forged."""

import re
import unicodedata
from collections.abc import Sequence

_INVISIBLE = dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_DOTS = str.maketrans({"。": ".", "．": ".", "｡": ".", "․": "."})
_DOMAIN = re.compile(r"(?<![\w.-])(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,24}(?![\w-])")


def has_address(name: str) -> bool:
    """Return True if the name has an address, or a character that begins one."""
    return bool(re.search(r"[@<>]", _normalise_name(name)))


def find_impersonated_domain(name: str, *, own: Sequence[str]) -> str:
    """Return the first domain in the name that is not one of ``own``, nor above or below one; else ""."""
    own_domains = [domain.lower().rstrip(".") for domain in own if domain]
    for found in _DOMAIN.findall(_normalise_name(name)):
        is_own = any(_is_same_or_subdomain(found.lower(), domain) for domain in own_domains)
        if len(found.partition(".")[0]) > 1 and not is_own:
            return str(found)
    return ""


def _is_same_or_subdomain(first: str, second: str) -> bool:
    return first == second or first.endswith(f".{second}") or second.endswith(f".{first}")


def _normalise_name(name: str) -> str:
    return unicodedata.normalize("NFKC", name.translate(_INVISIBLE).translate(_DOTS))
