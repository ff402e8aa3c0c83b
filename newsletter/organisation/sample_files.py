"""Write the sample files that a new organisation starts from, never over an existing file."""

import re
from importlib.resources import files
from pathlib import Path

from newsletter.common.errors import BadFile
from newsletter.organisation.starter_brands import Starter

_SAMPLES = {"organisation.toml": "sample.toml", ".env": "sample.env"}
_PRIVATE = 0o600


def write_samples(folder: Path, *, starter: Starter | None = None) -> tuple[list[Path], list[Path]]:
    """Write `organisation.toml` and `.env`. Return the written and the existing files.

    With a `starter`, the file's brand has its look. Raises BadFile if the folder cannot be written.
    """
    written: list[Path] = []
    kept: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, sample in _SAMPLES.items():
            file = folder / name
            try:
                with file.open("x", encoding="utf-8") as out:
                    text = read_sample(sample)
                    out.write(apply_starter(text, starter) if starter and name == "organisation.toml" else text)
                file.chmod(_PRIVATE if name == ".env" else 0o644)
                written.append(file)
            except FileExistsError:
                kept.append(file)
    except OSError as error:
        raise BadFile(f"{folder} cannot be written to: {error.strerror}. Choose another folder.") from error
    return written, kept


def apply_starter(text: str, starter: Starter) -> str:
    """Return the sample with the look of a finished brand. Comments stay."""
    head, brand, rest = text.partition("[brand]\n")
    table, blank, after = rest.partition("\n\n")
    for key, value in starter.look().items():
        written = f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
        literal = written.replace("\\", r"\\")
        table = re.sub(rf'^{key} = (?:"[^"]*"|\d+)', literal, table, flags=re.MULTILINE)
    return head + brand + table + blank + after


def read_sample(name: str) -> str:
    return files("newsletter.organisation").joinpath(name).read_text(encoding="utf-8")
