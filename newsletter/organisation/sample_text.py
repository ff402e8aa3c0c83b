"""Change single values in the text of a sample, and leave its comments as they are."""

import json
import re
from collections.abc import Mapping

Value = str | int | list[str]
_VALUE = r'(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\{[^}]*\}|\w+)'
_PLAIN = re.compile(r"[\w./:@?&=%+,~-]*", re.ASCII)


def set_keys(text: str, *, table: str, values: Mapping[str, Value | None]) -> str:
    """Return a TOML text with other values in the first table of this header, such as ``[[source]]``.

    A key that is a comment becomes a value. None makes a value a comment.
    """
    head, header, rest = text.partition(f"{table}\n")
    body, blank, after = rest.partition("\n\n")
    for key, value in values.items():
        if value is None:
            body = re.sub(rf"^(?={key} = )", "# ", body, flags=re.MULTILINE)
        else:
            body = _replace(rf"^(?:# )?{key} = {_VALUE}", f"{key} = {write_literal(value)}", body)[0]
    return head + header + body + blank + after


def comment_out(text: str, *, table: str, keep: int = 0) -> str:
    """Return a TOML text whose tables of this header are comments, except the first ``keep`` of them."""
    seen, parts = 0, []
    for part in text.split("\n\n"):
        if f"\n{table}\n" in f"\n{part}":
            seen += 1
            if seen > keep:
                part = "\n".join(line if line.startswith("#") else f"# {line}".rstrip() for line in part.split("\n"))
        parts.append(part)
    return "\n\n".join(parts)


def write_literal(value: Value) -> str:
    """Return the value as TOML writes it. A text has no control characters."""
    if isinstance(value, list):
        return f"[{', '.join(write_literal(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)


def set_settings(sample: str, values: Mapping[str, str]) -> str:
    """Return the sample of a settings file with these values, each in the place of its first line; else at the end."""
    for name, value in values.items():
        for pattern in (rf"^{name}=.*$", rf"^# {name}=.*$"):
            sample, count = _replace(pattern, f"{name}={quote_setting(value)}", sample)
            if count:
                break
        else:
            sample = add_settings(sample, {name: value})
    return sample


def add_settings(text: str, values: Mapping[str, str]) -> str:
    """Return the text of a settings file with these lines at its end. The last line of a name counts."""
    lines = "".join(f"{name}={quote_setting(value)}\n" for name, value in values.items())
    between = "\n" if text and not text.endswith("\n") else ""
    return text + between + lines


def quote_setting(value: str) -> str:
    """Return a value as a settings file writes it, in quotes if a character needs them."""
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _replace(pattern: str, written: str, text: str) -> tuple[str, int]:
    return re.subn(pattern, written.replace("\\", r"\\"), text, count=1, flags=re.MULTILINE)
