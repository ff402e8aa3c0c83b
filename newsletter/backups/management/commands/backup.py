"""newsletter backup: write one archive of the whole installation, or verify one."""

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from pathlib import Path

from django.core.management import CommandError

from newsletter.backups.passphrase import read_passphrase
from newsletter.backups.verify_backup import verify_backup
from newsletter.backups.write_backup import write_backup
from newsletter.common.commands.base import ProductCommand


class Command(ProductCommand):
    help = (
        "Write the database, images, suppression journal and organisation file into one archive, while everything runs. "
        "The archive holds personal data: keep it as safe as the database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", type=Path, help="The archive; in a folder, its name is made of the time."
        )
        add_passphrase_option(parser, "Put the keys and the settings file in too, sealed with the first line of F.")
        parser.add_argument(
            "--keep",
            type=_number,
            metavar="N",
            help="Keep the N newest archives of the folder FILE, and remove older ones.",
        )
        parser.add_argument(
            "--verify",
            action="store_true",
            help="Restore FILE into a scratch place and compare it, instead of writing.",
        )
        parser.add_argument("--json", action="store_true")

    def run(self, *, file: Path, passphrase_file: Path | None, keep: int | None, verify: bool, json: bool) -> None:
        if verify and keep is not None:
            raise CommandError("--keep removes older archives after a new one is written. Leave it out with --verify.")
        passphrase = read_passphrase(passphrase_file) if passphrase_file else None
        if verify:
            self._verify(file, passphrase=passphrase, as_json=json)
            return
        written = write_backup(file, passphrase=passphrase, keep=keep)
        if json:
            self.write_json(asdict(written))
            return
        keys = (
            "The keys are in it, sealed with your passphrase."
            if written.with_keys
            else "The keys are not in it: keep them elsewhere (--passphrase-file puts them in, sealed)."
        )
        lines = [f"{written.file}: {written.rows:,} rows, {written.media_files:,} image files, {written.size:,} bytes."]
        self.write_lines([*lines, keys, *(f"Removed: {path}" for path in written.removed)])

    def _verify(self, file: Path, *, passphrase: str | None, as_json: bool) -> None:
        result = verify_backup(file, passphrase=passphrase)
        if as_json:
            self.write_json(asdict(result))
            return
        self.write_lines(
            [
                f"{file} restores: {result.rows:,} rows in {result.tables} tables ({result.engine}), "
                f"{result.media_files:,} image files, all as the archive says.",
                f"Made at {result.made_at} by version {result.product}. Keys: {result.keys}.",
            ]
        )


def add_passphrase_option(parser: ArgumentParser, explanation: str) -> None:
    parser.add_argument("--passphrase-file", type=Path, metavar="F", help=explanation)


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("give the number of archives to keep, 1 or more")
    return int(text)
