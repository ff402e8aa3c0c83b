"""The input of an import: a file of people, and the terms on which its people are added."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

from subscribers.models import Basis, ImportKind


@dataclass(frozen=True, kw_only=True)
class PeopleFile:
    """A CSV file or workbook of people, in bytes. `columns` names the field of a column if the guess is wrong."""

    content: BinaryIO
    name: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ConsentTerms:
    """The kind of the people in a file, and the reason why they may be mailed.

    `kind` overrides the detected kind. `collected_on`, `expires_on` and `country` (a code or name) are the defaults for rows
    without one. With `confirm`, people are asked by mail first.
    """

    basis: Basis | str
    evidence: str
    kind: ImportKind | str = ""
    collected_on: date | None = None
    expires_on: date | None = None
    country: str = ""
    confirm: bool = False
