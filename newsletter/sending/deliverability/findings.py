"""The findings of checks of the installation and of a sender's domain. Checks of an issue have their own."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """The result of one check. `says` is what was found; `do` is what to do about it, "" if all is well."""

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
