"""Write our names and keys as providers' tags and ids, which take few characters."""

import hashlib
import re


def make_tag(name: str, *, max_length: int = 128) -> str:
    """Return a name with letters, digits, dot, dash and underscore only; never empty."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")[:max_length] or "newsletter"


def make_dashed_tag(name: str) -> str:
    """Return a name with letters, digits, dash and underscore only, at most 256; never empty."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:256] or "-"


def make_batch_id(key: str, *, max_length: int) -> str:
    """Return a batch's key, or its digest of 64 characters if the key is longer or has unusual characters."""
    if re.fullmatch(r"[A-Za-z0-9._:/-]+", key) and len(key) <= max_length:
        return key
    return hashlib.sha256(key.encode()).hexdigest()


def make_message_id(key: str, *, domain: str) -> str:
    """Return a fixed Message-ID for a key, without angle brackets."""
    is_plain = re.fullmatch(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*", key) and len(key) <= 64
    return f"{key if is_plain else hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}"
