"""The HTML of a page without the white space that only makes its template readable."""

import re


def compact_html(html: str) -> str:
    """Return HTML on one line, without white space between tags and at the edges of elements."""
    line = " ".join(html.split()).replace("> <", "><").replace(" <br", "<br")
    return re.sub(r"(<[a-z][^<>]*>) ", r"\1", line).replace(" </", "</")
