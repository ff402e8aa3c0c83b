"""The findings of checks of the installation and of a sender's domain. Checks of an issue have their own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from newsletter.common.messages import Message

Level = Literal["ok", "advice", "warning", "error"]


@dataclass(frozen=True)
class RecordToAdd:
    """A record to put into DNS. ``name`` is complete, without a dot at its end."""

    name: str
    type: str
    value: str


@dataclass(frozen=True)
class Finding:
    """The result of one check: what was found, what it means, and what to do about it, "" if all is well.

    ``advice`` is no problem: mail goes out and arrives without it. ``code`` is stable, "" for a check without codes.
    """

    check: str
    level: Level
    says: str
    do: str = ""
    means: str = ""
    code: str = ""
    records: tuple[RecordToAdd, ...] = ()

    @property
    def text(self) -> Message:
        """The three parts as one text."""
        return Message.joined([part for part in (self.says, self.means, self.do) if part], between=" ")

    def to_row(self) -> dict[str, object]:
        """Return what JSON can keep. Texts stay messages, so that they can be translated later."""
        return {**vars(self), "code": str(self.code), "records": [asdict(record) for record in self.records]}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        records = tuple(RecordToAdd(**record) for record in row.get("records", ()))
        return cls(**{**row, "records": records})


def ok(check: str, says: str) -> Finding:
    return Finding(check, "ok", says)


def warning(check: str, says: str, do: str) -> Finding:
    return Finding(check, "warning", says, do)


def error(check: str, says: str, do: str) -> Finding:
    return Finding(check, "error", says, do)
