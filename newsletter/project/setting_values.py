"""Read one setting of the environment as text, switch or list. Raises BadSetting for a value that cannot be used."""

from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import dj_database_url
from environs import Env

from newsletter.common.errors import BadAddress
from newsletter.project.settings_file import BadSetting
from subscribers.addresses.normalise import normalise

_env = Env()
_ENGINES = ("django.db.backends.postgresql", "django.db.backends.sqlite3")
_NO_DATABASE = (
    "{name} is not the address of a PostgreSQL or SQLite database. Write postgres://USER:PASSWORD@HOST/NAME, and special "
    "characters of the password as %40 and so on. Or leave it out: the data is then in one file of the data folder."
)
_TRUE, _FALSE = ("true", "yes", "on", "1", "t", "y"), ("false", "no", "off", "0", "f", "n")


def read_text(name: str, default: str) -> str:
    """Return a setting without surrounding white space, or the default if it is empty."""
    return _env.str(name, "").strip() or default


def read_flag(name: str, *, default: bool) -> bool:
    text = read_text(name, "").lower()
    if text in (*_TRUE, *_FALSE):
        return text in _TRUE
    if text:
        raise BadSetting(name, f"{name} is “{text[:20]}”. Write true or false.")
    return default


def read_words(name: str) -> list[str]:
    return [part.strip() for part in _env.str(name, "").split(",") if part.strip()]


def read_mailable(name: str) -> list[str]:
    """Return addresses and domains. Raise BadSetting for a word that is neither, because it would leave somebody out."""
    for text in read_words(name):
        try:
            normalise(text if "@" in text.lstrip("@") else f"anybody@{text.lstrip('@')}")
        except BadAddress as error:
            raise BadSetting(
                name, f"{name}: “{text}” is neither an address nor a domain such as example.org."
            ) from error
    return read_words(name)


def read_time_zone(name: str) -> str:
    """Return the name of a time zone. Raise BadSetting for another word, with the nearest name."""
    zone = read_text(name, "UTC")
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        names = {one.lower(): one for one in available_timezones()}
        near = get_close_matches(zone.lower(), names, n=1)
        hint = f"Did you mean {names[near[0]]}?" if near else "Write one such as Europe/London."
        raise BadSetting(name, f"{name} is “{zone[:40]}”, which is no time zone. {hint}") from error


def read_database_url(name: str, default: str) -> str:
    """Return the address of the database. Raise BadSetting for one that names none; the message never contains it."""
    url = read_text(name, default)
    try:
        database = dj_database_url.parse(url)
    except (ValueError, KeyError, dj_database_url.UnknownSchemeError) as error:
        raise BadSetting(name, _NO_DATABASE.format(name=name)) from error
    is_named = bool(database.get("NAME")) or "service" in database.get("OPTIONS", {})
    if database["ENGINE"] not in _ENGINES or not is_named or database["NAME"] == ":memory:":
        raise BadSetting(name, _NO_DATABASE.format(name=name))
    return url
