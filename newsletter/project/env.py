"""Read the environment once. Groups of settings are read by modules beside this one; docs/reference/settings.md has all."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.common.errors import BadAddress
from newsletter.content.fetching.errors import Refused
from newsletter.content.fetching.url_guard import AllowList
from newsletter.demo.environment import MARKER_FILE
from newsletter.google_postmaster.settings import GOOGLE
from newsletter.identity_provider.settings import IdentityProvider
from newsletter.inbound.settings import InboundSources
from newsletter.monitoring.logs.formatters import STYLES
from newsletter.organisation.health.origin import SettingValue
from newsletter.project.account_settings import read_away_minutes, read_further_accounts
from newsletter.project.inbound_settings import read_address, read_sources
from newsletter.project.oidc_settings import read_oidc
from newsletter.project.secret_keys import KEPT_KEY, is_weak, read_key_file, require_strong, resolve_key
from newsletter.project.setting_origins import describe
from newsletter.project.setting_values import (
    read_database_url,
    read_flag,
    read_mailable,
    read_text,
    read_time_zone,
    read_words,
)
from newsletter.project.settings_file import BadSetting, current_settings_file
from newsletter.providers.accounts import FURTHER_SETTING, name_setting
from subscribers.addresses.normalise import normalise

ENGINES = ("embedded", "procrastinate")
_NOT_SETTINGS = {"link_keys", "demo", "oidc", "further_provider_urls"}
KEY_FILES = {"NEWSLETTER_SECRET_KEY": "secret.key", "NEWSLETTER_ADDRESS_KEY": "address.key"}
"""The files in the data folder with the keys that no setting has."""
SQLITE_FILE = "newsletter.sqlite3"
"""The file of the data folder that is the database if DATABASE_URL is not set."""


@dataclass(frozen=True)
class Environment:
    """The product's settings. Keys made on first use are kept in the data folder."""

    data_dir: Path
    database_url: str
    site_url: str
    secret_key: str
    old_secret_keys: list[str]
    link_keys: list[str]
    address_key: str
    api_key: str
    """The key with which `newsletter mcp` calls the API; no other process reads it."""
    provider_url: str
    further_provider_urls: dict[str, str]
    """The URLs of further provider accounts by name, each from its own setting."""
    account_away_minutes: int
    engine: str
    fetch_allow: list[str]
    link_checks: bool
    pulse_url: str
    metrics_token: str
    log: str
    production: bool
    time_zone: str
    demo: bool
    trusted_proxies: list[str]
    hsts_subdomains: bool
    only_to: list[str]
    inbound: InboundSources
    inbound_address: str
    postmaster_key_file: Path | None
    postmaster_person: str
    postmaster_endpoint: str
    oidc: IdentityProvider
    env_file: Path | None
    """The file that settings were read from, if there was one: NEWSLETTER_ENV_FILE, or `.env` in the current folder."""

    def describe(self) -> tuple[SettingValue, ...]:
        """Return every setting with its origin, without secrets."""
        made = {name: self.data_dir / file for name, file in KEY_FILES.items()}
        file = current_settings_file()
        return tuple(
            describe(name, value, environ=os.environ, file=file, made_in=made.get(name))
            for name, value in self.by_name().items()
        )

    def names_in_file(self) -> frozenset[str]:
        """Return every name in the settings file, also those that the environment overrides."""
        file = current_settings_file()
        return file.names | file.overridden

    def repeated_in_file(self) -> Mapping[str, tuple[int, ...]]:
        """Return the numbers of the lines of each name that the settings file has more than once. The last one counts."""
        return current_settings_file().repeated

    def by_name(self) -> dict[str, object]:
        """Return the values by setting name. Only DATABASE_URL has no prefix."""
        names = (field.name for field in fields(self) if field.name not in _NOT_SETTINGS)
        values = {
            "DATABASE_URL" if name == "database_url" else f"NEWSLETTER_{name.upper()}": getattr(self, name)
            for name in names
        }
        further = {name_setting(account): url for account, url in self.further_provider_urls.items()}
        return {**values, **further, **self.oidc.by_name()}

    def weak_keys(self) -> list[str]:
        """Return the settings whose key is easy to guess. Production refuses them."""
        return [name for name, keys in self._keys().items() if any(map(is_weak, keys))]

    def require_strong_keys(self) -> None:
        """Raise EnvError for the first weak key."""
        require_strong(self._keys())

    def _keys(self) -> dict[str, list[str]]:
        keys_in_settings = (self.secret_key, *self.old_secret_keys)
        return {
            "NEWSLETTER_SECRET_KEY": [self.secret_key],
            "NEWSLETTER_OLD_SECRET_KEYS": self.old_secret_keys,
            "NEWSLETTER_ADDRESS_KEY": [self.address_key],
            "NEWSLETTER_METRICS_TOKEN": [self.metrics_token] if self.metrics_token else [],
            KEPT_KEY: [key for key in self.link_keys if key not in keys_in_settings],
        }


def read() -> Environment:
    """Read every setting and make the keys that a trial needs. Raises EnvError for a setting that cannot be used."""
    data_dir = find_data_dir()
    production = read_flag("NEWSLETTER_PRODUCTION", default=False)
    site_url = read_text("NEWSLETTER_SITE_URL", "http://127.0.0.1:8000").rstrip("/")
    database_url = read_database_url("DATABASE_URL", f"sqlite:///{data_dir / SQLITE_FILE}")
    secret_key = _secret("NEWSLETTER_SECRET_KEY", data_dir / "secret.key", required=production)
    old_secret_keys = read_words("NEWSLETTER_OLD_SECRET_KEYS")
    environment = Environment(
        data_dir=data_dir,
        database_url=database_url,
        site_url=site_url,
        secret_key=secret_key,
        old_secret_keys=old_secret_keys,
        link_keys=_once([secret_key, *old_secret_keys, read_key_file(data_dir / "secret.key")]),
        address_key=_secret("NEWSLETTER_ADDRESS_KEY", data_dir / "address.key", required=production),
        api_key=read_text("NEWSLETTER_API_KEY", ""),
        provider_url=read_text("NEWSLETTER_PROVIDER_URL", "outbox://"),
        further_provider_urls=read_further_accounts(),
        account_away_minutes=read_away_minutes(),
        engine=_engine(database_url),
        fetch_allow=_reachable("NEWSLETTER_FETCH_ALLOW"),
        link_checks=read_flag("NEWSLETTER_LINK_CHECKS", default=True),
        pulse_url=read_text("NEWSLETTER_PULSE_URL", ""),
        metrics_token=read_text("NEWSLETTER_METRICS_TOKEN", ""),
        log=_log_style(),
        production=production,
        time_zone=read_time_zone("NEWSLETTER_TIME_ZONE"),
        demo=not production and site_url.startswith("http://127.0.0.1:") and (data_dir / MARKER_FILE).is_file(),
        trusted_proxies=_networks("NEWSLETTER_TRUSTED_PROXIES"),
        hsts_subdomains=read_flag("NEWSLETTER_HSTS_SUBDOMAINS", default=False),
        only_to=read_mailable("NEWSLETTER_ONLY_TO"),
        inbound=read_sources(),
        inbound_address=read_address(),
        postmaster_key_file=_key_file("NEWSLETTER_POSTMASTER_KEY_FILE", data_dir),
        postmaster_person=_postmaster_person("NEWSLETTER_POSTMASTER_PERSON"),
        postmaster_endpoint=_postmaster_endpoint("NEWSLETTER_POSTMASTER_ENDPOINT"),
        oidc=read_oidc(),
        env_file=current_settings_file().path,
    )
    if production:
        environment.require_strong_keys()
    return environment


def list_setting_names(environ: Mapping[str, str]) -> list[str]:
    """Return the names of all settings that a settings file may have, and of the further accounts of ``environ``."""
    names = (
        field.name for field in fields(Environment) if field.name not in {*_NOT_SETTINGS, "database_url", "env_file"}
    )
    accounts = (name for name in environ if FURTHER_SETTING.fullmatch(name))
    return sorted(
        ["DATABASE_URL", *(f"NEWSLETTER_{name.upper()}" for name in names), *IdentityProvider().by_name(), *accounts]
    )


def find_data_dir() -> Path:
    """Return the data folder. A relative path in the settings file is relative to that file."""
    file = current_settings_file()
    folder = read_text("NEWSLETTER_DATA_DIR", "")
    from_file = not folder or "NEWSLETTER_DATA_DIR" in file.names
    base = file.path.parent if file.path is not None and file.path.is_file() and from_file else Path()
    try:
        return (base / Path(folder or "var").expanduser()).resolve()
    except RuntimeError as error:
        raise BadSetting(
            "NEWSLETTER_DATA_DIR",
            f"NEWSLETTER_DATA_DIR is “{folder}”, and this user has no home folder. Write a whole path.",
        ) from error


def _key_file(name: str, data_dir: Path) -> Path | None:
    """Return the path of a file, which is relative to the data folder, or None."""
    path = read_text(name, "")
    try:
        return data_dir / Path(path).expanduser() if path else None
    except RuntimeError as error:
        raise BadSetting(name, f"{name} is “{path}”, and this user has no home folder. Write a whole path.") from error


def _postmaster_person(name: str) -> str:
    person = read_text(name, "")
    try:
        return normalise(person) if person else ""
    except BadAddress as error:
        raise BadSetting(name, f"{name} is “{person[:80]}”. Write the address of one person.") from error


def _postmaster_endpoint(name: str) -> str:
    url = read_text(name, GOOGLE)
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise BadSetting(name, f"{name} is “{url[:80]}”. Write a whole address, such as {GOOGLE}, or leave it out.")
    return url


def _engine(database_url: str) -> str:
    name = "NEWSLETTER_ENGINE"
    engine = read_text(name, "embedded")
    if engine not in ENGINES:
        raise BadSetting(name, f"{name} is “{engine[:20]}”. Write one of: {', '.join(ENGINES)}.")
    if engine == "procrastinate":
        if not database_url.startswith(("postgres://", "postgresql://")):
            raise BadSetting(
                name,
                f"{name}=procrastinate needs PostgreSQL: set DATABASE_URL to postgres://…, or leave the engine out.",
            )
        if find_spec("procrastinate") is None:
            raise BadSetting(
                name,
                f"{name}=procrastinate needs a library that is not installed. "
                f"Run: {sys.executable} -m pip install 'newsletter[scale]'",
            )
    return engine


def _log_style() -> str:
    name = "NEWSLETTER_LOG"
    style = read_text(name, STYLES[0])
    if style not in STYLES:
        raise BadSetting(name, f"{name} is “{style[:20]}”. Write one of: {', '.join(STYLES)}.")
    return style


def _networks(name: str) -> list[str]:
    networks = []
    for text in read_words(name):
        try:
            networks.append(str(ip_network(text, strict=False)))
        except ValueError as error:
            raise BadSetting(
                name, f"{name}: “{text}” is no address or network. Write one such as 10.0.0.0/8."
            ) from error
    return networks


def _reachable(name: str) -> list[str]:
    """Return hosts and networks. Raise BadSetting for a word that is neither, because it would make every source fail."""
    words = read_words(name)
    try:
        AllowList.parse(words)
    except Refused as error:
        raise BadSetting(name, f"{name}: {error}") from error
    for word in words:
        if len(word.split()) > 1 or ";" in word:
            raise BadSetting(name, f"{name}: “{word}” is not one host or network. Put commas between them.")
        if "*" in word:
            raise BadSetting(name, f"{name}: “{word}” names no host. Write the whole name of each host, or a network.")
    return words


def _once(keys: list[str]) -> list[str]:
    return [key for key in dict.fromkeys(keys) if key]


def _secret(name: str, kept_in: Path, *, required: bool) -> str:
    return resolve_key(read_text(name, ""), name=name, kept_in=kept_in, required=required)
