"""The manifest of an archive: which version and database it is of, and the size and hash of each part."""

from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from newsletter.backups.errors import BadArchive

FORMAT = 1
MANIFEST_PART = "manifest.json"
JOURNAL_PART = "left.journal"
KEYS_PART = "keys.sealed"
ORGANISATION_PART = "organisation.toml"
DATABASE_PREFIX = "database/"
SQLITE_PART = f"{DATABASE_PREFIX}newsletter.sqlite3"
MEDIA_PREFIX = "media/"
MAX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Part:
    """The size and the SHA-256 of one part."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Sequence:
    """The last number that a table's counter gave, so that no number is given twice."""

    table: str
    column: str
    last: int


@dataclass(frozen=True)
class Manifest:
    """``migrations`` are the applied ones, as pairs of app and name. ``columns`` is filled for PostgreSQL only."""

    format: int
    product: str
    made_at: str
    engine: str
    address_key_hash: str
    migrations: list[tuple[str, str]]
    rows: dict[str, int]
    columns: dict[str, list[str]] = field(default_factory=dict)
    sequences: list[Sequence] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def table_part(table: str) -> str:
    """Return the name of the part with a PostgreSQL table's rows."""
    return f"{DATABASE_PREFIX}{table}.copy"


def parse_manifest(content: bytes) -> Manifest:
    """Raise BadArchive if it is not a manifest of this or an earlier format."""
    try:
        data: dict[str, Any] = orjson.loads(content)
        if int(data["format"]) > FORMAT:
            raise BadArchive(
                f"The archive was made by a newer version ({data['product']}), which keeps archives in another form. "
                "Nothing was restored. Install that version, then run this again."
            )
        return Manifest(
            format=int(data["format"]),
            product=str(data["product"]),
            made_at=str(data["made_at"]),
            engine=str(data["engine"]),
            address_key_hash=str(data["address_key_hash"]),
            migrations=[(str(app), str(name)) for app, name in data["migrations"]],
            rows={str(table): int(count) for table, count in data["rows"].items()},
            columns={str(table): [str(name) for name in names] for table, names in data["columns"].items()},
            sequences=[Sequence(str(s["table"]), str(s["column"]), int(s["last"])) for s in data["sequences"]],
            parts={str(name): Part(int(p["size"]), str(p["sha256"])) for name, p in data["parts"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadArchive(
            f"The archive is damaged: {MANIFEST_PART} cannot be read. Nothing was restored. Use another archive."
        ) from error
