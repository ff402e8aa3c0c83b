"""Read the account of a mail server from its URL: the server, its encryption, and who signs in."""

import ipaddress
import re
from dataclasses import dataclass, field
from enum import StrEnum

from newsletter.common.networks import is_loopback
from newsletter.providers.base.errors import DEFAULT_URL_SETTING, BadProviderUrl
from newsletter.providers.base.provider_url import ProviderSettings, UrlOption, UrlRules

MAX_BATCH = 100
_PORT = re.compile(r"[0-9]{1,5}")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9])?")
_RETURN_PATH = UrlOption(
    r"[A-Za-z0-9!#$&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", "the address that bounces are mailed to"
)


class Security(StrEnum):
    """The encryption of a connection. ``NONE`` is allowed to this machine alone."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True)
class MailServer:
    """A mail server and the account that signs in; without a user, nobody does. ``host`` has no brackets.

    ``setting`` is the name of the setting that says all this.
    """

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)
    setting: str = DEFAULT_URL_SETTING


def make_url_rules(scheme: str) -> UrlRules:
    """Return the rules of ``smtp://`` or ``smtps://``."""
    return UrlRules(
        scheme,
        max_batch=MAX_BATCH,
        account="USER:PASSWORD@HOST:PORT",
        options={"return_path": _RETURN_PATH},
        check_account=_check_account,
        needs_key=False,
        without=frozenset({"endpoint", "webhook_key"}),
    )


def read_server(settings: ProviderSettings) -> MailServer:
    """Return the server that the settings name. Raise BadProviderUrl."""
    host, port = _split_host(settings.domain)
    if settings.scheme == "smtps":
        security, default_port = Security.TLS, 465
    else:
        security, default_port = Security.NONE if is_loopback(host) else Security.STARTTLS, 587
    return MailServer(host, port or default_port, security, settings.key, settings.secret, setting=settings.setting)


def _check_account(settings: ProviderSettings) -> None:
    read_server(settings)
    if bool(settings.key) != bool(settings.secret):
        raise BadProviderUrl(
            "%(setting)s has a user without a password, or a password without a user. Write "
            "%(scheme)s://USER:PASSWORD@HOST:PORT, or %(scheme)s://HOST:PORT for a server that asks for neither.",
            scheme=settings.scheme,
        )
    if not settings.secret.isascii() or not settings.secret.isprintable():
        raise BadProviderUrl(
            "The password in %(setting)s has a letter that is not ASCII, which this sign-in cannot carry. Give "
            "the account another password."
        )


def _split_host(text: str) -> tuple[str, int]:
    """Return host and port of ``host``, ``host:port`` or ``[IPv6]:port``; the port is 0 if none is given."""
    if text.startswith("["):
        host, _, after = text[1:].partition("]")
        port = after.removeprefix(":")
        is_valid = _is_ip_address(host) and (not after or after.startswith(":"))
    else:
        host, mark, port = text.partition(":")
        is_valid = bool(_HOST.fullmatch(host)) and bool(port) >= bool(mark)
    if not is_valid or (port and not (_PORT.fullmatch(port) and 0 < int(port) < 65536)):
        raise BadProviderUrl(
            "%(setting)s names no mail server after the @. Write it as HOST or HOST:PORT, such as mail.example.org:587."
        )
    return host, int(port or 0)


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
