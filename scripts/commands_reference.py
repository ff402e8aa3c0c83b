"""Write docs/reference/commands.md from the commands themselves: python -m scripts.commands_reference."""

import os
import re
import textwrap
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs/reference/commands.md"
_WIDTH, _NO_BREAK = 100, "\N{NO-BREAK SPACE}"
_INTRODUCTION = """# Commands

Made from the commands by `make docs`; do not edit. `ISSUE` is an id, `SLUG/NUMBER` or `SLUG/latest`.
Commands that print take `--json`.
"""


def describe_commands() -> str:
    from django.core.management import get_commands, load_command_class

    from newsletter.project.cli import COMMANDS

    parts, known = [_INTRODUCTION], get_commands()
    for name, summary in COMMANDS.items():
        module = name.replace("-", "_")
        parser = load_command_class(known[module], module).create_parser("newsletter", name)
        parts.append(f"## {name}\n\n{summary[:1].upper()}{summary[1:].rstrip('.')}.\n\n```text\n{_help(parser)}\n```\n")
    return "\n".join(parts)


def _help(parser: ArgumentParser) -> str:
    """Return the help of a command, followed by that of each of its actions."""
    actions = [one for one in parser._actions if isinstance(one, _SubParsersAction)]
    parsers = [parser, *(each for one in actions for each in one.choices.values())]
    text = "\n\n".join(_wrap_usage(each.format_help().strip()) for each in parsers)
    text = re.sub(
        r"^( +--?[\w-]+) (\S+), (--?[\w-]+ \2)", r"\1, \3", text, flags=re.MULTILINE
    )  # as Python 3.13 writes it
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def _wrap_usage(text: str) -> str:
    """Wrap the first paragraph between options: each version of Python wraps it in another way."""
    usage, _, rest = text.partition("\n\n")
    option = r"\[[^\[\]]*\]|--[\w-]+ (?![-\[(])"
    one_line = re.sub(option, lambda found: found[0].replace(" ", _NO_BREAK), " ".join(usage.split()))
    lines = textwrap.fill(one_line, _WIDTH, subsequent_indent=" " * 7, break_long_words=False, break_on_hyphens=False)
    return f"{lines.replace(_NO_BREAK, ' ')}\n\n{rest}"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    os.environ["COLUMNS"] = str(_WIDTH)
    import django

    django.setup()
    PAGE.write_text(describe_commands(), encoding="utf-8")


if __name__ == "__main__":
    main()
