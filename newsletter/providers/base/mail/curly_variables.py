"""Write variables as ``{{name}}`` (Amazon SES, Brevo, SparkPost), and nothing else that the provider would take for one."""

import re
from collections.abc import Callable

from newsletter.common.personal_tokens import TOKEN

_WORD_JOINER = "\u2060"
# A brace that would open a variable, a tag or a comment, also together with the brace that a token will become.
_OPENS = re.compile(r"\{(?=[{%#]|__pv_)")
_CLOSES = re.compile(rf"({TOKEN.pattern})\}}")
_STYLE = re.compile(r"(<style\b.*?</style\s*>)", re.IGNORECASE | re.DOTALL)

# From a token's name to the provider's variable.
MakeVariable = Callable[[str], str]


def make_curly_variable(name: str) -> str:
    """Return ``{{name}}``."""
    return f"{{{{{name}}}}}"


def write_html(text: str, *, make_variable: MakeVariable = make_curly_variable) -> str:
    """Return an HTML part. Other braces become character entities (in CSS: a space is added)."""
    pieces = [
        _OPENS.sub("{ ", piece) if number % 2 else _CLOSES.sub(r"\1&#125;", _OPENS.sub("&#123;", piece))
        for number, piece in enumerate(_STYLE.split(text))
    ]
    return _replace_tokens("".join(pieces), make_variable)


def write_text(text: str, *, make_variable: MakeVariable = make_curly_variable) -> str:
    """Return a subject or text part. An invisible word joiner follows a brace of the text's own."""
    broken = _CLOSES.sub(rf"\1{_WORD_JOINER}}}", _OPENS.sub(f"{{{_WORD_JOINER}", text))
    return _replace_tokens(broken, make_variable)


def write_header(text: str) -> str:
    """Return a header's value. A space follows a brace of the value's own."""
    return _replace_tokens(_CLOSES.sub(r"\1 }", _OPENS.sub("{ ", text)), make_curly_variable)


def write_value(name: str, text: str) -> str:
    """Return a personal value: the name ``{{x}}`` of a recipient is shown unchanged and is no variable."""
    return _OPENS.sub("&#123;" if name[0] in "hu" else f"{{{_WORD_JOINER}", text)


def _replace_tokens(text: str, make_variable: MakeVariable) -> str:
    return TOKEN.sub(lambda match: make_variable(match.group(1)), text)
