"""Write `organisation.toml` from the answers: the commented sample with the organisation's own values."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from errno import EEXIST
from pathlib import Path

from newsletter.common.commands.private_output import replace_private
from newsletter.content.ingesting.find_sources import FoundSource
from newsletter.organisation.sample_files import is_sample, read_sample
from newsletter.organisation.sample_text import Value, comment_out, set_keys, write_literal
from newsletter.organisation.value_types import format_interval

_EXAMPLES = ("[[topic]]", "[[segment]]", "[[appeal]]")
_READABLE = 0o644
_EVERY_MINUTES = 30
MAX_SOURCE_NAME_LENGTH = 120


@dataclass(frozen=True)
class Organisation:
    """The answers. ``brand`` has the keys of the table [brand]; a key without a value has None."""

    brand: Mapping[str, Value | None]
    sender: str
    zone: str
    sources: Sequence[FoundSource]


def write_organisation_file(file: Path, organisation: Organisation) -> None:
    """Write the file or replace an unchanged sample, whole or not at all.

    Raises FileExistsError for any other file, and OSError.
    """
    text = make_organisation_text(organisation)
    if file.exists() and not is_sample(file):
        raise FileExistsError(EEXIST, os.strerror(EEXIST), str(file))
    replace_private(file, text)
    file.chmod(_READABLE)


def make_organisation_text(organisation: Organisation) -> str:
    """Return the text of the file. The sample's topics, segments, appeals and sources stay as commented examples."""
    text = read_sample("sample.toml")
    text = set_keys(text, table="[brand]", values={"donate_url": None, "social": None, **organisation.brand})
    text = set_keys(text, table="[[list]]", values={"ask": ["name", "place"]})
    for table in _EXAMPLES:
        text = comment_out(text, table=table)
    text = comment_out(text, table="[[source]]", keep=1 if organisation.sources else 0)
    if organisation.sources:
        text = _write_sources(text, organisation.sources)
    publication: dict[str, Value | None] = {
        "from_name": organisation.brand["name"],
        "from_email": organisation.sender,
        "reply_to": None,
        "zone": organisation.zone,
    }
    return set_keys(text, table="[[publication]]", values=publication)


def _write_sources(text: str, sources: Sequence[FoundSource]) -> str:
    """Write the first source in the place of the sample's, and the others after it."""
    names = _make_names(sources)
    tables = [{"name": name, "kind": one.kind, "url": one.url} for name, one in zip(names, sources, strict=True)]
    text = set_keys(text, table="[[source]]", values={**tables[0], "language": None})
    head, rest = text.split("\n\n# [[source]]\n", 1)
    more = "".join(
        "\n\n[[source]]\n"
        + "\n".join(f"{key} = {write_literal(value)}" for key, value in table.items())
        + f'\nevery = "{format_interval(_EVERY_MINUTES)}"'
        for table in tables[1:]
    )
    return f"{head}{more}\n\n# [[source]]\n{rest}"


def _make_names(sources: Sequence[FoundSource]) -> list[str]:
    """Return a name for each source, no two the same and none too long for its table."""
    names: list[str] = []
    for source in sources:
        name, number = source.name, 2
        while name in names:
            end = f" {number}"
            name, number = f"{source.name[: MAX_SOURCE_NAME_LENGTH - len(end)]}{end}", number + 1
        names.append(name)
    return names
