"""Write the sample files that a new organisation starts from, never over an existing file."""

from importlib.resources import files
from pathlib import Path

from newsletter.common.errors import BadFile
from newsletter.organisation.sample_text import set_keys
from newsletter.organisation.starter_brands import Starter, load_starters

ORGANISATION_FILE, SETTINGS_FILE = "organisation.toml", ".env"
_SAMPLES = {ORGANISATION_FILE: "sample.toml", SETTINGS_FILE: "sample.env"}
_PRIVATE = 0o600


def write_samples(folder: Path, *, starter: Starter | None = None) -> tuple[list[Path], list[Path]]:
    """Write `organisation.toml` and `.env`. Return the written and the existing files.

    With a `starter`, the file's brand has its look. Raises BadFile if the folder cannot be written.
    """
    written: list[Path] = []
    existing: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, sample in _SAMPLES.items():
            file = folder / name
            try:
                with file.open("x", encoding="utf-8") as out:
                    text = read_sample(sample)
                    out.write(apply_starter(text, starter) if starter and name == ORGANISATION_FILE else text)
                file.chmod(_PRIVATE if name == SETTINGS_FILE else 0o644)
                written.append(file)
            except FileExistsError:
                existing.append(file)
    except OSError as error:
        raise BadFile(f"{folder} cannot be written to: {error.strerror}. Choose another folder.") from error
    return written, existing


def apply_starter(text: str, starter: Starter) -> str:
    """Return the sample with the look of a finished brand. Comments stay."""
    return set_keys(text, table="[brand]", values=starter.look())


def read_sample(name: str) -> str:
    """Return the text of ``sample.toml`` or ``sample.env``."""
    return files("newsletter.organisation").joinpath(name).read_text(encoding="utf-8")


def is_sample(file: Path) -> bool:
    """Return True if the file is what `newsletter init` wrote, also with a starter's brand, and nobody changed it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    sample = read_sample(_SAMPLES[ORGANISATION_FILE])
    looks = [apply_starter(sample, starter) for starter in load_starters().values()]
    return text in (sample, read_sample(_SAMPLES[SETTINGS_FILE]), *looks)
