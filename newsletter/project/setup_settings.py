"""The first part of `newsletter setup`: ask for the settings and write `.env`, before Django reads them."""

import secrets
import sys
import tempfile
from argparse import ArgumentError, ArgumentParser
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from newsletter.common.commands.private_output import replace_private
from newsletter.common.errors import DomainError
from newsletter.management.setup.answer_checks import FILES, find_free_site_url
from newsletter.management.setup.kept_answers import KeptAnswers
from newsletter.management.setup.options import SetupOptions, add_setup_options, read_setup_options
from newsletter.management.setup.prompt import NONE, Prompt, explain_stop, is_none
from newsletter.management.setup.questions import ADMINISTRATOR, PROVIDER_URL, SITE_URL
from newsletter.organisation.sample_files import SETTINGS_FILE, is_sample, read_sample
from newsletter.organisation.sample_text import add_settings, set_settings
from newsletter.project.env import KEY_FILES, SQLITE_FILE, find_data_dir, list_setting_names
from newsletter.project.secret_keys import read_key_file
from newsletter.project.settings_file import current_settings_file, read_settings_file

_ASKED = {"NEWSLETTER_SITE_URL": SITE_URL, "NEWSLETTER_PROVIDER_URL": PROVIDER_URL}


class CannotSetUp(DomainError):
    """The set-up cannot begin or go on. The message says what to do."""


class BadOption(DomainError):
    """An option of the command line cannot be read."""

    def __init__(self, text: str) -> None:
        super().__init__("%(text)s Nothing was changed. Try: newsletter setup --help", text=text)


def prepare_setup(arguments: list[str], *, environ: MutableMapping[str, str]) -> None:
    """Write `.env` from the answers and read it into ``environ``. Its existing lines stay. Raises DomainError."""
    options = _read_options(arguments)
    file = (current_settings_file().path or Path(SETTINGS_FILE)).absolute()
    _require_writable(Path.cwd())
    if is_sample(file):
        for name in current_settings_file().names:
            environ.pop(name, None)
    prompt = Prompt(options.given, KeptAnswers(Path.cwd()), asks=not options.yes, say=_say)
    _introduce(Path.cwd(), is_first=not file.exists(), asks=prompt.asks)
    _refuse_other_settings(options, environ=environ, file=file)
    _refuse_other_database(options.database_url.strip(), environ=environ, file=file)
    with explain_stop(_say):
        values = _ask_for_settings(prompt, options, environ=environ, file=file)
        _write(file, values)
    for name in values:
        if not environ.get(name):
            environ.pop(name, None)  # an empty line of the file, which counts as long as it is in the environment
    read_settings_file(environ)


def _read_options(arguments: list[str]) -> SetupOptions:
    parser = ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    add_setup_options(parser)
    try:
        read, unknown = parser.parse_known_args(arguments)
    except ArgumentError as error:
        raise BadOption(f"{error.argument_name}: {error.message}.") from error
    if unknown:
        raise BadOption(f"Unrecognized arguments: {' '.join(unknown)}.")
    return read_setup_options(vars(read))


def _require_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotSetUp(
            "%(folder)s cannot be written to: %(reason)s. The settings and the data are kept there, so nothing was set up."
            " Change to a folder of your own, such as /srv/newsletter, and run this again.",
            folder=folder,
            reason=error.strerror,
        ) from error


def _refuse_other_settings(options: SetupOptions, *, environ: MutableMapping[str, str], file: Path) -> None:
    """Raise CannotSetUp for an option that differs from the settings: a script must not continue with other values."""
    answers = {name: options.given.get(question.name, "") for name, question in _ASKED.items()}
    for name, typed in (*answers.items(), ("DATABASE_URL", options.database_url)):
        value = FILES if is_none(typed) else typed.strip()
        present = environ.get(name, "").strip()
        if value and present and present.rstrip("/") != value.rstrip("/"):
            raise CannotSetUp(
                "%(name)s has another value in %(file)s or in the environment than on the command line. Nothing was changed:"
                " what exists is never overwritten. Edit the file, or leave the option out.",
                name=name,
                file=file,
            )


def _refuse_other_database(url: str, *, environ: MutableMapping[str, str], file: Path) -> None:
    """Raise CannotSetUp if the option would put an empty database in the place of the SQLite file that is in use."""
    used = find_data_dir() / SQLITE_FILE
    if not url or environ.get("DATABASE_URL", "").strip() or url == f"sqlite:///{used}" or not used.is_file():
        return
    raise CannotSetUp(
        "This installation has a database already: %(used)s. With --database-url it would start with an empty one, without"
        " its people and its suppressions, so nothing was changed. To take them along, stop the other processes and run"
        " `newsletter move --to URL`. If they are moved already, set DATABASE_URL in %(file)s.",
        used=used,
        file=file,
    )


def _ask_for_settings(
    prompt: Prompt, options: SetupOptions, *, environ: MutableMapping[str, str], file: Path
) -> dict[str, str]:
    """Return the settings for a new file, with those of the environment. For an existing file: settings without a value."""
    is_new = not file.exists() or is_sample(file)
    values = {name: environ[name] for name in list_setting_names(environ) if environ.get(name)}
    if "NEWSLETTER_DATA_DIR" in values:
        values["NEWSLETTER_DATA_DIR"] = str(find_data_dir())  # a relative path in the file would count from there
    _name_settings_of_environment(values, file=file, is_new=is_new)
    if options.database_url:
        values["DATABASE_URL"] = options.database_url
    for name, question in _ASKED.items():
        if name in values:
            prompt.say(f"{question.title}: {question.show(values[name])} (from the settings)")
        else:
            default = find_free_site_url() if question is SITE_URL else NONE
            values[name] = prompt.ask(question, default=default)
    for name, kept_in in KEY_FILES.items():
        values[name] = environ.get(name) or read_key_file(find_data_dir() / kept_in) or secrets.token_urlsafe(48)
    if is_new:
        administrator = prompt.ask(ADMINISTRATOR)
        is_real = values["NEWSLETTER_PROVIDER_URL"] != FILES
        if is_real and not environ.get("NEWSLETTER_PRODUCTION") and not environ.get("NEWSLETTER_ONLY_TO"):
            values["NEWSLETTER_ONLY_TO"] = administrator
        return values
    return {name: value for name, value in values.items() if not environ.get(name)}


def _name_settings_of_environment(values: Mapping[str, str], *, file: Path, is_new: bool) -> None:
    """Say which settings come from the environment, so that the file and the environment do not differ in silence."""
    names = [name for name in values if is_new or name not in current_settings_file().names]
    if not names:
        return
    if is_new:
        _say(f"From the environment: {', '.join(names)}")
    else:
        _say(
            f"Note: {file} does not have what the environment has for {', '.join(names)}. Processes that start without this "
            "environment use other values. Add these settings to the file, or set them wherever the program starts."
        )


def _write(file: Path, values: dict[str, str]) -> None:
    is_new = not file.exists() or is_sample(file)
    if not is_new and not values:
        _say(f"Kept: {file}")
        return
    text = (
        set_settings(read_sample("sample.env"), values)
        if is_new
        else add_settings(file.read_text(encoding="utf-8-sig"), values)
    )
    try:
        replace_private(file, text)
    except OSError as error:
        raise CannotSetUp(
            "%(file)s cannot be written: %(reason)s. Your answers are kept. Give this user the right to write there, and run"
            " this again.",
            file=file,
            reason=error.strerror,
        ) from error
    _say(f"\nWritten: {file}, which only you can read" if is_new else f"\nAdded to {file}: {', '.join(values)}")


def _introduce(folder: Path, *, is_first: bool, asks: bool) -> None:
    if asks:
        _say(
            f"This sets up a newsletter in {folder}. {'' if is_first else 'What is there already is kept. '}"
            "It asks some questions; Enter takes the answer in brackets.\n"
            "Then it writes .env and organisation.toml, prepares the database, makes your account, reads your stories and"
            " sends a proof to you alone.\n"
            "You can stop at any time with Ctrl-C and go on later: your answers are kept."
        )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
