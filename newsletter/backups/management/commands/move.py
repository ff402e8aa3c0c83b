"""newsletter move: take the installation from SQLite to PostgreSQL."""

from argparse import ArgumentParser

from newsletter.backups.moving.move_to_postgres import move_to_postgres
from newsletter.common.commands.base import ProductCommand


class Command(ProductCommand):
    help = (
        "Copy the SQLite database into an empty PostgreSQL database, compare every table, and put SQLite on hold. Stop the "
        "other processes first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--to",
            required=True,
            metavar="URL",
            help="postgresql://USER@HOST/DATABASE. Keep the password in ~/.pgpass: others can see a command's options.",
        )
        parser.add_argument("--json", action="store_true")

    def run(self, *, to: str, json: bool) -> None:
        moved = move_to_postgres(url=to)
        if json:
            self.write_json({"tables": moved.rows, "rows": sum(moved.rows.values())})
            return
        width = max(map(len, moved.rows))
        filled = [f"{table:<{width}}  {count:>12,}" for table, count in moved.rows.items() if count]
        self.write_lines(
            [
                *filled,
                f"Moved {sum(moved.rows.values()):,} rows in {len(moved.rows)} tables. Counts and content are the same.",
                "The SQLite database is on hold and sends nothing more. Set DATABASE_URL to the PostgreSQL database, then start "
                "`newsletter serve` again. Keep the data folder.",
            ]
        )
