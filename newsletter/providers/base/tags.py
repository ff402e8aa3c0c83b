"""Names of ours as tags of providers, which take few characters."""

import re


def make_ascii_tag(name: str, *, max_length: int = 128) -> str:
    """Give a name with letters, digits, dot, dash and underscore only; never empty."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")[:max_length] or "newsletter"


def make_ses_tag(name: str) -> str:
    """Give a name as Amazon SES takes it: letters, digits, dash and underscore, at most 256."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:256] or "-"
