"""Prepare plain text from outside for an issue."""


def escape_merge_fields(text: str) -> str:
    """Separate the braces of text from outside, so that they are never read as a personal field."""
    return text.replace("{{", "{\u2060{").replace("{%", "{\u2060%")


def shorten(text: str, length: int) -> str:
    """Return at most ``length`` characters, cut at a word."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    cut = text[: length - 1].rsplit(" ", 1)[0] or text[: length - 1]
    return cut.rstrip(" ·,;:") + "…"
