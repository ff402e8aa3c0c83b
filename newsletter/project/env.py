"""Reads the environment once. Every setting of the product is named here and in docs/settings.md, nowhere else."""

import os
import secrets
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path

from environs import Env, EnvError
from marshmallow.validate import OneOf

from newsletter.demo.environment import MARK
from subscribers.addresses import normalise
from subscribers.errors import BadAddress

_env = Env()


@dataclass(frozen=True)
class Environment:
    """The product's settings as read; secrets made on first use are kept in the data folder."""

    data_dir: Path
    database_url: str
    site_url: str
    secret_key: str
    old_secret_keys: list[str]
    link_keys: list[str]
    address_key: str
    provider_url: str
    engine: str
    fetch_allow: list[str]
    link_checks: bool
    pulse_url: str
    production: bool
    time_zone: str
    demo: bool
    trusted_proxies: list[str]
    hsts_subdomains: bool
    only_to: list[str]


def read() -> Environment:
    data_dir = Path(_env.str("NEWSLETTER_DATA_DIR", "var")).resolve()
    production = _env.bool("NEWSLETTER_PRODUCTION", False)
    site_url = _env.str("NEWSLETTER_SITE_URL", "http://127.0.0.1:8000").rstrip("/")
    database_url = _env.str("DATABASE_URL", f"sqlite:///{data_dir / 'newsletter.sqlite3'}")
    secret_key = _secret("NEWSLETTER_SECRET_KEY", data_dir / "secret.key", required=production)
    old_secret_keys = _words("NEWSLETTER_OLD_SECRET_KEYS")
    return Environment(
        data_dir=data_dir,
        database_url=database_url,
        site_url=site_url,
        secret_key=secret_key,
        old_secret_keys=old_secret_keys,
        link_keys=_once([secret_key, *old_secret_keys, _kept(data_dir / "secret.key")]),
        address_key=_secret("NEWSLETTER_ADDRESS_KEY", data_dir / "address.key", required=production),
        provider_url=_env.str("NEWSLETTER_PROVIDER_URL", "outbox://"),
        engine=_engine(database_url),
        fetch_allow=_words("NEWSLETTER_FETCH_ALLOW"),
        link_checks=_env.bool("NEWSLETTER_LINK_CHECKS", True),
        pulse_url=_env.str("NEWSLETTER_PULSE_URL", ""),
        production=production,
        time_zone=_env.str("NEWSLETTER_TIME_ZONE", "UTC"),
        demo=not production and site_url.startswith("http://127.0.0.1:") and (data_dir / MARK).is_file(),
        trusted_proxies=_networks("NEWSLETTER_TRUSTED_PROXIES"),
        hsts_subdomains=_env.bool("NEWSLETTER_HSTS_SUBDOMAINS", False),
        only_to=_mailable("NEWSLETTER_ONLY_TO"),
    )


def _engine(database_url: str) -> str:
    engine = _env.str("NEWSLETTER_ENGINE", "embedded", validate=OneOf(["embedded", "procrastinate"]))
    if engine == "procrastinate":
        if not database_url.startswith(("postgres://", "postgresql://")):
            raise EnvError(
                "NEWSLETTER_ENGINE=procrastinate needs PostgreSQL: set DATABASE_URL to postgres://…, or leave the engine out."
            )
        if find_spec("procrastinate") is None:
            raise EnvError(
                "NEWSLETTER_ENGINE=procrastinate needs a library that is not installed. Run: pip install 'newsletter[scale]'."
            )
    return engine


def _networks(name: str) -> list[str]:
    networks = []
    for text in _words(name):
        try:
            networks.append(str(ip_network(text, strict=False)))
        except ValueError as error:
            raise EnvError(f"{name}: “{text}” is no address or network. Write one such as 10.0.0.0/8.") from error
    return networks


def _mailable(name: str) -> list[str]:
    """Addresses and domains. A word that is neither stops the program: it would leave out whom somebody meant to name."""
    for text in _words(name):
        try:
            normalise(text if "@" in text.lstrip("@") else f"anybody@{text.lstrip('@')}")
        except BadAddress as error:
            raise EnvError(f"{name}: “{text}” is neither an address nor a domain such as example.org.") from error
    return _words(name)


def _words(name: str) -> list[str]:
    return [part.strip() for part in _env.str(name, "").split(",") if part.strip()]


def _once(keys: list[str]) -> list[str]:
    return [key for key in dict.fromkeys(keys) if key]


def _kept(file: Path) -> str:
    """What was made on first use; empty where there is none. Links in the mails of that time were signed with it."""
    return file.read_text().strip() if file.exists() else ""


def _secret(name: str, kept_in: Path, *, required: bool) -> str:
    given = _env.str(name, "")
    if given:
        return given
    if required and kept_in.exists():
        raise SystemExit(
            f"{name} is not set, and production needs it. Give it the value that was used until now, in {kept_in}: "
            "with another one, links in old mails end and who left is not known any more."
        )
    if required:
        raise SystemExit(
            f"{name} is not set. Production needs it: make one with "
            "`python -c 'import secrets; print(secrets.token_urlsafe(48))'`."
        )
    if kept_in.exists():
        return kept_in.read_text().strip()
    kept_in.parent.mkdir(parents=True, exist_ok=True)
    made = secrets.token_urlsafe(48)
    try:
        descriptor = os.open(kept_in, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return kept_in.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(made)
    return made
