"""Describe each setting's value and origin without showing a secret."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.inbound.settings import InboundSources
from newsletter.organisation.health.origin import Origin, SettingValue
from newsletter.project.settings_file import SettingsFile
from newsletter.providers.accounts import URL_SETTING

HIDDEN = "(hidden)"


def find_origin(name: str, *, environ: Mapping[str, str], file: SettingsFile, made_in: Path | None = None) -> Origin:
    """Return the origin of a setting's value. `made_in` is the file of a key that is made if nobody gives one."""
    if not environ.get(name, "").strip():
        return Origin.MADE if made_in is not None else Origin.DEFAULT
    return Origin.FILE if name in file.names else Origin.ENVIRONMENT


def say_where(name: str, *, environ: Mapping[str, str], file: SettingsFile) -> str:
    """Return a sentence that says where a setting was read, or where to write it."""
    origin = find_origin(name, environ=environ, file=file)
    if origin is Origin.FILE:
        line = f", line {file.lines[name]}" if name in file.lines else ""
        return f"It was read from {file.path}{line}."
    if origin is Origin.ENVIRONMENT:
        wins = f", which wins over {file.path}" if name in file.overridden else ""
        return f"It was read from the environment{wins}."
    if file.path is None:
        return f"Write it into a file .env in {Path.cwd()}, which has none, or into the environment."
    return f"Write it into {file.path} or into the environment."


def describe(
    name: str, value: object, *, environ: Mapping[str, str], file: SettingsFile, made_in: Path | None = None
) -> SettingValue:
    """Describe one setting. `value` is the value that the program uses."""
    origin = find_origin(name, environ=environ, file=file, made_in=made_in)
    where = {Origin.FILE: file.path, Origin.MADE: made_in}.get(origin)
    show = _provider if name.startswith(URL_SETTING) else _SHOWN.get(name, _plain)
    return SettingValue(name, show(value), origin, str(where) if where else "")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _pairs(value: object) -> str:
    return ", ".join(f"{left}={right}" for left, right in value) if isinstance(value, tuple) else ""


def _or_none(value: object) -> str:
    """Show an empty list as the word that makes it empty: an empty setting means the default."""
    return _plain(value) or "none"


def _hidden(value: object) -> str:
    return HIDDEN if value else ""


def _number_of_keys(value: object) -> str:
    count = len(value) if isinstance(value, list) else 0
    return f"{count} {'key' if count == 1 else 'keys'} {HIDDEN}" if count else ""


def _provider(value: object) -> str:
    """Show the scheme only: if the URL is badly written, the rest may be the key."""
    scheme, separator, secret_part = str(value).partition("://")
    if not separator or not scheme.isalnum():
        return HIDDEN
    return f"{scheme}://{HIDDEN if secret_part else ''}"


def _inbound(value: object) -> str:
    """Show mailboxes and webhooks without passwords and keys."""
    if not isinstance(value, InboundSources):
        return HIDDEN
    names = [mailbox.label for mailbox in value.mailboxes]
    return "; ".join([*names, *(f"inbound://{webhook.provider}" for webhook in value.webhooks)])


def _database(value: object) -> str:
    """Show host and name of the database, or the file, without passwords and options."""
    text = str(value)
    if text.startswith("sqlite:"):
        return text.partition("?")[0]
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    if not parts.scheme or not parts.hostname:
        return HIDDEN
    user = f"{parts.username}:{HIDDEN}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.hostname}{port}{parts.path}{'?' + HIDDEN if parts.query else ''}"


def _host_alone(value: object) -> str:
    """Show the host only: the path of a monitor's address is often a secret."""
    if not value:
        return ""
    try:
        parts = urlsplit(str(value))
        host = parts.hostname
    except ValueError:
        return HIDDEN
    return f"{parts.scheme}://{host}/{HIDDEN}" if parts.scheme and host else HIDDEN


def _site(value: object) -> str:
    return HIDDEN if "@" in str(value) else str(value)


_SHOWN: dict[str, Callable[[object], str]] = {
    "NEWSLETTER_SITE_URL": _site,
    "NEWSLETTER_SECRET_KEY": _hidden,
    "NEWSLETTER_ADDRESS_KEY": _hidden,
    "NEWSLETTER_API_KEY": _hidden,
    "NEWSLETTER_METRICS_TOKEN": _hidden,
    "NEWSLETTER_OLD_SECRET_KEYS": _number_of_keys,
    "NEWSLETTER_PULSE_URL": _host_alone,
    "NEWSLETTER_INBOUND": _inbound,
    "NEWSLETTER_OIDC_CLIENT_SECRET": _hidden,
    "NEWSLETTER_OIDC_ROLES": _pairs,
    "NEWSLETTER_OIDC_SECOND_FACTORS": _or_none,
    "DATABASE_URL": _database,
}
