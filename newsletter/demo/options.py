"""The options of `newsletter demo`. They are read before Django starts, and again by the command."""

from argparse import ArgumentParser, ArgumentTypeError

from newsletter.common.commands.base import ProductCommand
from newsletter.demo.environment import DEFAULT_PORT, MAX_SUBSCRIBERS
from newsletter.management.ports import port_number


class DemoOptions(ProductCommand):
    """The options alone, without the modules that need the settings."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="Stop when the issue is sent.")
        parser.add_argument(
            "--subscribers", type=_people, default=2000, metavar="N", help="How many sample people there are."
        )
        parser.add_argument("--port", type=port_number, default=DEFAULT_PORT, metavar="P")


def _people(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= MAX_SUBSCRIBERS):
        raise ArgumentTypeError(f"{text} is not a number of people from 1 to {MAX_SUBSCRIBERS:,}.")
    return int(text)
