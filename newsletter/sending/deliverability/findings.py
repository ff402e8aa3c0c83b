"""What a check finds."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """`says` is what is the case, `do` what to do about it: "" where all is well."""

    check: str
    level: Level
    says: str
    do: str = ""


def ok(check: str, says: str) -> Finding:
    return Finding(check, "ok", says)


def warning(check: str, says: str, do: str) -> Finding:
    return Finding(check, "warning", says, do)


def error(check: str, says: str, do: str) -> Finding:
    return Finding(check, "error", says, do)
