"""The schema of a block: a ``.toml`` file beside the block's two templates names its fields and a sample."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from newsletter.common.messages import Message
from newsletter.rendering.errors import TemplateError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


FieldKind = Literal[
    "line", "paragraphs", "rich", "lines", "link", "choice", "picture", "amount", "currency", "day", "rows"
]
KINDS_IN_ROWS = frozenset({"line", "paragraphs", "link", "choice", "picture", "amount", "currency", "day"})


class FieldSchema(BaseModel):
    """One field of a block.

    ``line`` is a line of text, ``paragraphs`` several, ``rich`` staff's formatted text with personal fields,
    ``lines`` a list of lines, ``link`` a web address, ``choice`` one of ``options``, ``picture`` a picture cropped for
    its ``place`` and, with ``mark``, marked as a film. ``amount`` is an amount of money, above 0 if ``positive``,
    ``currency`` the code of one, ``day`` a date. ``rows`` are from ``min_rows`` to ``max_rows`` rows of ``fields``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: FieldKind
    label: str
    help: str = ""
    required: bool = False
    most: int = Field(default=300, ge=1, le=5000)
    options: tuple[tuple[str, str], ...] = ()
    place: str = "wide"
    mark: Literal["", "film"] = ""
    positive: bool = False
    fields: tuple["FieldSchema", ...] = Field(default=(), alias="field")
    min_rows: int = Field(default=0, ge=0)
    max_rows: int = Field(default=10, ge=1, le=100)

    @model_validator(mode="after")
    def _check_options(self) -> "FieldSchema":
        if (self.kind == "choice") != bool(self.options):
            raise ValueError("options are given for a choice, and for nothing else")
        return self

    @model_validator(mode="after")
    def _check_rows(self) -> "FieldSchema":
        if (self.kind == "rows") != bool(self.fields):
            raise ValueError("fields are given for rows, and for nothing else")
        if wrong := [field.kind for field in self.fields if field.kind not in KINDS_IN_ROWS]:
            raise ValueError(f"a row has no field of the kind “{wrong[0]}”")
        if self.kind == "rows" and (self.required != (self.min_rows > 0) or self.min_rows > self.max_rows):
            raise ValueError("min_rows is above 0 if rows are required, and not above max_rows")
        return self


class BlockSchema(BaseModel):
    """A block: its label, its fields, and a sample value of each (of a picture: its name)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    label: str
    about: str
    icon: str = "placeholder"
    fields: tuple[FieldSchema, ...] = Field(alias="field")
    sample: Mapping[str, Any] = {}

    @model_validator(mode="after")
    def _check_sample(self) -> "BlockSchema":
        unknown = sorted(set(self.sample) - {field.name for field in self.fields})
        if unknown:
            raise ValueError(f"the sample has “{unknown[0]}”, which is no field")
        if lacking := [field.name for field in self.fields if field.required and field.name not in self.sample]:
            raise ValueError(f"the sample lacks “{lacking[0]}”, which is required")
        return self


def blank_value(field: FieldSchema) -> Any:
    """Return the value of a field that was not filled in."""
    match field.kind:
        case "rich":
            return {"html": "", "text": ""}
        case "lines" | "rows":
            return ()
        case "picture" | "amount" | "day":
            return None
        case "choice":
            return field.options[0][0]
        case _:
            return ""


def read_schema(path: Path) -> BlockSchema:
    """Return the schema in a ``.toml`` file with its two templates beside it. Raise TemplateError, which names the file."""
    if not _NAME.fullmatch(path.stem):
        raise TemplateError(
            Message("%(file)s: name a block with small letters, digits and underscores.", file=path.name),
            kind=path.stem,
        )
    for part in ("mjml", "txt"):
        if not path.with_name(f"{path.stem}.{part}.j2").is_file():
            missing = f"{path.stem}.{part}.j2"
            message = Message("%(file)s has no %(missing)s beside it. Add it.", file=path.name, missing=missing)
            raise TemplateError(message, kind=path.stem)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return BlockSchema.model_validate({**data, "kind": path.stem})
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(
            Message("%(file)s is not TOML: %(error)s.", file=path.name, error=str(error)), kind=path.stem
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        parts = [path.name, ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")]
        message = Message.joined([part for part in parts if part], between=": ") + "."
        raise TemplateError(message, kind=path.stem) from error
