"""newsletter init: write the sample files that a new organisation starts from."""

from argparse import ArgumentParser
from pathlib import Path

from newsletter.common.commands.base import ProductCommand
from newsletter.organisation.sample_files import write_samples
from newsletter.organisation.starter_brands import find_starter, load_starters


class Command(ProductCommand):
    help = (
        "Write a commented organisation.toml and .env to fill in yourself; `newsletter setup` asks for the values instead."
        " Existing files are not changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", metavar="DIR", nargs="?", type=Path, default=Path(), help="This folder if not given."
        )

        parser.add_argument(
            "--brand",
            metavar="NAME",
            help="Starter brand: "
            + "; ".join(f"{slug} ({starter.kind.lower()})" for slug, starter in load_starters().items())
            + ".",
        )

    def run(self, *, folder: Path, brand: str | None) -> None:
        written, existing = write_samples(folder, starter=find_starter(brand) if brand else None)
        self.write_lines(f"Written: {file}" for file in written)
        self.write_lines(f"Kept: {file}" for file in existing)
        file = folder / "organisation.toml"
        self.stdout.write(f"Next: change {file} to say who you are, then run: newsletter apply {file}")
