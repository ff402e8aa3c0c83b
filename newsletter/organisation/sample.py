"""Writes the samples that a new organisation starts from. It never writes over a file."""

from importlib.resources import files
from pathlib import Path

from newsletter.errors import BadFile

_SAMPLES = {"organisation.toml": "sample.toml", ".env": "sample.env"}
_PRIVATE = 0o600


def write_samples(folder: Path) -> tuple[list[Path], list[Path]]:
    """Writes `organisation.toml` and `.env` into a folder. Returns those written and those that were there already.

    Raises BadFile where the folder cannot be written to.
    """
    written: list[Path] = []
    kept: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, sample in _SAMPLES.items():
            file = folder / name
            try:
                with file.open("x", encoding="utf-8") as out:
                    out.write(read_sample(sample))
                file.chmod(_PRIVATE if name == ".env" else 0o644)
                written.append(file)
            except FileExistsError:
                kept.append(file)
    except OSError as error:
        raise BadFile(f"{folder} cannot be written to: {error.strerror}. Choose another folder.") from error
    return written, kept


def read_sample(name: str) -> str:
    return files("newsletter.organisation").joinpath(name).read_text(encoding="utf-8")
