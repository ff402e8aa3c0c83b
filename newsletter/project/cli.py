"""The `newsletter` command: find the named command, run it, and print an error as one line on stderr."""

import gc
import os
import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import version
from typing import TYPE_CHECKING

from environs import EnvError

from newsletter.common.errors import DomainError
from newsletter.demo.environment import prepare_demo
from newsletter.monitoring.process_memory import limit_memory_arenas
from newsletter.project.process_setup import make_files_private, restrict_data_folder
from newsletter.project.secret_keys import OtherKeysWritten
from newsletter.project.settings_file import BadSetting, current_settings_file, read_settings_file

if TYPE_CHECKING:
    from django.core.management import BaseCommand

COMMANDS = {
    "demo": "send a sample organisation’s issue to files, then open the desk",
    "setup": "ask some questions and set up a new installation, up to its first proof",
    "init": "write a commented sample of the organisation's file and of .env",
    "apply": "create or update lists, sources, publications … from the organisation's file",
    "staff": "add people to the staff, or list them",
    "api-key": "make, list or revoke keys for your other systems",
    "mcp": "let an assistant read and draft, never approve or send",
    "webhook": "add, list or remove webhooks for your other systems",
    "provider": "show or set up your mail provider's webhook, or add DMARC reports",
    "subscribers": "import, export or look up the people of a list",
    "breach-drill": "list whose data an account, an API key or an export touched",
    "serve": "run everything in one process: web, schedule, sender",
    "web": "run the web pages only",
    "scheduler": "run the schedule only",
    "worker": "run the sender only",
    "ingest": "read the sources now",
    "assemble": "make the issue of a publication's next slot",
    "preview": "write an issue as its readers will see it",
    "explain": "say why a person gets each part of an issue, or does not",
    "approve": "approve an issue as a member of staff",
    "send": "send an approved issue at its slot, or now",
    "status": "show slots, issues and the delivery summary of a send",
    "doctor": "check settings, database, provider, DNS and templates",
    "bench": "measure sending against a provider on this machine",
    "backup": "write one archive of everything, or verify one",
    "restore": "restore an archive into an empty installation",
    "move": "take the installation from SQLite to PostgreSQL",
    "migrate": "prepare the database, after installing or upgrading",
}
_LISTED = re.compile(r"\['(.*)'\]\.?")  # environs prints reasons as a Python list
_INTERRUPTED, _BROKEN_PIPE = 130, 141


class CommandLineError(DomainError):
    """The command ends with this message for the person who ran it."""

    def __init__(self, text: str, *, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    environment = dict(os.environ)
    make_files_private()
    limit_memory_arenas()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except CommandLineError as error:
        _print_error(str(error))
        return error.status
    except BadSetting as error:
        from newsletter.project.setting_origins import say_where

        _print_error(f"{error} {say_where(error.setting, environ=os.environ, file=current_settings_file())}")
        return 1
    except OtherKeysWritten as error:
        if arguments is None:
            _start_again(environment)
        _print_error(str(error))
        return 1
    except (DomainError, EnvError) as error:
        _print_error(str(error))
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE


def _start_again(environment: dict[str, str]) -> None:
    """Replace this process by the same command, which then reads the keys that another one wrote."""
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - no shell is needed


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help") or words == ["help"]:
        sys.stdout.write(_overview())
        return 0
    if words[0] in ("--version", "version"):
        sys.stdout.write(f"newsletter {version('newsletter')}\n")
        return 0
    if words[0] == "help":
        words = [words[1], "--help"]
    name, options = words[0], words[1:]
    read_settings_file(os.environ)
    only_usage = bool({"-h", "--help", "--version"} & set(options))
    if name == "demo" and not only_usage:
        _prepare_demo(options)
    if name == "setup" and not only_usage:
        _prepare_setup(options)
    with _no_garbage_collection():
        may_create = _start_django(words)
        command = _load_command(name)
    parsed = _parse_options(command, name, options)
    if may_create:
        _create_data_folder()
        _execute(command, parsed)
    else:
        _execute_without_data(command, parsed, words)
    return 0


def _execute_without_data(command: "BaseCommand", parsed: Namespace, words: list[str]) -> None:
    """Run a command that may begin no installation. It finds no data, so it needs none or ends with an error."""
    from newsletter.project.sqlite_database.base import make_no_file
    from newsletter.project.wrong_folder import require_installation

    require_installation(words, commands=COMMANDS)
    with make_no_file():
        _execute(command, parsed)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Load modules without collecting garbage: they leave none, and the search takes an eighth of a start.

    Later garbage collections ignore the loaded objects.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
        if was_enabled:
            gc.enable()


def _overview() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{line}" for name, line in COMMANDS.items()]
    return "\n".join(
        [
            "A newsletter that assembles itself: stories, events near each reader and ways to help, every week.",
            "",
            "Start with `newsletter demo`; with your own organisation, `newsletter setup`.",
            "",
            *lines,
            "",
            "Run `newsletter COMMAND --help` for its options.",
            "",
        ]
    )


def _prepare_demo(options: list[str]) -> None:
    """Empty the folder of an earlier demo if the options are right."""
    from newsletter.demo.options import DemoOptions

    read = _parse_options(DemoOptions(), "demo", options)
    prepare_demo(port=read.port, serves=not read.no_serve, environ=os.environ)


def _prepare_setup(options: list[str]) -> None:
    from newsletter.project.setup_settings import BadOption, prepare_setup

    try:
        prepare_setup(options, environ=os.environ)
    except BadOption as error:
        raise CommandLineError(str(error), status=2) from error


def _start_django(words: list[str]) -> bool:
    """Load the settings, and create nothing. Return True if the command may create the data folder and its keys."""
    import django
    from django.core.exceptions import ImproperlyConfigured

    from newsletter.project.secret_keys import hold_new_keys
    from newsletter.project.wrong_folder import keeps_new_keys

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    try:
        may_create = keeps_new_keys(words, environ=os.environ)
        with hold_new_keys():
            django.setup()
        return may_create
    except EnvError:
        raise  # a ValueError with a message of its own
    except (ImproperlyConfigured, ValueError) as error:
        file = current_settings_file().path or ".env"
        raise CommandLineError(
            f"A setting cannot be used: {_one_line(error)} Correct it in the environment or in {file}."
        ) from error
    except OSError as error:
        raise _describe_unusable_folder(error) from error


def _create_data_folder() -> None:
    """Create the data folder and its keys if there are none. The options of the command are known to be right."""
    from newsletter.project.secret_keys import write_held_keys

    try:
        write_held_keys()
        restrict_data_folder()
    except OSError as error:
        raise _describe_unusable_folder(error) from error


def _describe_unusable_folder(error: OSError) -> CommandLineError:
    elsewhere = (
        "" if current_settings_file().path else " If your installation is elsewhere, run the command in its folder."
    )
    return CommandLineError(
        f"The data folder cannot be used ({error.strerror}: {error.filename}). "
        f"Give this user the right to write there, or set NEWSLETTER_DATA_DIR to another folder.{elsewhere}"
    )


def _load_command(name: str) -> "BaseCommand":
    from django.core.management import BaseCommand, get_commands, load_command_class

    commands, module = get_commands(), name.replace("-", "_")
    if module not in commands:
        raise CommandLineError(_unknown(name, commands), status=2)
    app = commands[module]
    return app if isinstance(app, BaseCommand) else load_command_class(app, module)


def _parse_options(command: "BaseCommand", name: str, rest: list[str]) -> Namespace:
    from django.core.management import CommandError

    try:
        return command.create_parser("newsletter", name).parse_args(rest)
    except CommandError as error:
        message = _one_line(error).removeprefix("Error: ")
        raise CommandLineError(f"{message[:1].upper()}{message[1:]} Try: newsletter {name} --help", status=2) from error


def _execute(command: "BaseCommand", parsed: Namespace) -> None:
    from django.core.management import CommandError
    from django.db import Error, connections

    from newsletter.common.commands.base import DATABASE_ERRORS, explain_database_error

    options = vars(parsed)
    try:
        command.execute(*options.pop("args", ()), **options)
    except CommandError as error:
        raise CommandLineError(str(error), status=error.returncode) from error
    except DATABASE_ERRORS as error:
        raise CommandLineError(explain_database_error(error)) from error
    finally:
        for connection in connections.all(initialized_only=True):
            try:
                connection.close()
            except Error:
                continue


def _unknown(name: str, commands: dict[str, str]) -> str:
    near = get_close_matches(name, [*COMMANDS, *commands], n=1)
    hint = f"Did you mean “{near[0]}”?" if near else "`newsletter --help` lists the commands."
    return f"There is no command “{name}”. {hint}"


def _one_line(error: Exception) -> str:
    text = _LISTED.sub(r"\1", " ".join(str(error).split()))
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _print_error(text: str) -> None:
    sys.stderr.write(" ".join(text.split()) + "\n")


if __name__ == "__main__":
    sys.exit(main())
