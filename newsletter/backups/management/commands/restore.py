"""newsletter restore: restore an archive into an empty installation."""

from argparse import ArgumentParser
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from django.conf import settings

from newsletter.backups.installation import remove_made_keys
from newsletter.backups.management.commands.backup import add_passphrase_option
from newsletter.backups.passphrase import read_passphrase
from newsletter.backups.restore_backup import restore_backup
from newsletter.common.commands.base import ProductCommand


class Command(ProductCommand):
    help = (
        "Restore an archive of `newsletter backup` into an empty database and data folder, completely or not at all. "
        "All sending is on hold afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        add_passphrase_option(parser, "Restore the keys too; the first line of F opens them.")
        parser.add_argument("--json", action="store_true")

    def run(self, *, file: Path, passphrase_file: Path | None, json: bool) -> None:
        with ExitStack() as on_failure:
            on_failure.callback(remove_made_keys)
            restored = restore_backup(file, passphrase=read_passphrase(passphrase_file) if passphrase_file else None)
            on_failure.pop_all()
        if json:
            self.write_json({"held": True, **asdict(restored)})
            return
        keys = (
            f"The keys are in {settings.NEWSLETTER_DATA_DIR}." if restored.with_keys else "The keys were here already."
        )
        beside = [f"To compare with your own, or to copy from: {path}" for path in restored.beside]
        self.write_lines(
            [
                f"Restored as of {restored.made_at}: {restored.rows:,} rows and {restored.media_files:,} image files. {keys}",
                *beside,
                "All sending is on hold. Next: newsletter doctor --after-restore",
            ]
        )
