"""Prepare plain text from outside for an issue: keep its braces from being merge fields, and shorten it at a word."""


def escape_merge_fields(text: str) -> str:
    """Text from outside, with its braces kept apart so that they are never read as a merge field."""
    return text.replace("{{", "{\u2060{").replace("{%", "{\u2060%")


def shorten(text: str, length: int) -> str:
    """At most ``length`` characters, cut at a word."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    cut = text[: length - 1].rsplit(" ", 1)[0] or text[: length - 1]
    return cut.rstrip(" ·,;:") + "…"
