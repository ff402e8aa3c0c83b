"""The interface with which a provider's webhook is set up: find ours among the webhooks of others, create or repair it.

A webhook is ours if it leads to our address. No other webhook of the account is changed, and none is deleted.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from newsletter.common.messages import Message
from newsletter.providers.accounts import URL_SETTING
from newsletter.providers.base.contract import HttpCaller
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.http_adapter import HttpAdapter
from newsletter.providers.base.json_values import Row, as_text
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.base.setup_calls import SetupAccount, SetupCalls
from newsletter.providers.base.transport import Transport

USER = "newsletter"
"""The user of a webhook that sends a user and a password."""


@dataclass(frozen=True)
class WebhookTarget:
    """Our side of a webhook. ``keys`` verify reports now, the newest first.

    ``new_key`` is a fresh password for a provider that signs nothing, if no key can be used. ``keep`` stores a key so that
    reports with it are believed: call it before the provider uses the key. ``setting`` is the name of the setting with the
    account's URL.
    """

    url: str = field(repr=False)
    keys: Sequence[str] = field(repr=False)
    new_key: str = field(repr=False)
    keep: Callable[[str], None] = field(repr=False)
    setting: str = URL_SETTING


@dataclass(frozen=True)
class WebhookState:
    """The webhook as the provider has it. ``problems`` are sentences about missing parts; empty if there are none.

    ``others`` counts webhooks of the same account that lead elsewhere. ``waiting`` says which step the provider still waits
    for.
    """

    problems: tuple[str, ...] = ()
    others: int = 0
    waiting: str = ""

    @property
    def works(self) -> bool:
        return not self.problems and not self.waiting


class WebhookSetup(ABC):
    """The webhooks of one account of ``adapter``. ``right`` names what its key must be allowed to do.

    ``read`` changes nothing. ``install`` changes what ``read`` finds wrong and returns the state after it: a second call
    changes nothing. Both raise WebhookSetupError. ``confirm`` answers a provider that asks if we want its reports.
    """

    adapter: ClassVar[type[HttpAdapter]]
    right: ClassVar[str]
    seconds_between: ClassVar[float] = 0.0

    def __init__(
        self, settings: ProviderSettings, *, target: WebhookTarget, transport: HttpCaller | None = None
    ) -> None:
        self.settings = settings
        self.target = target
        self.keys = list(target.keys)
        self.calls = self._make_calls(transport or Transport())

    @property
    def label(self) -> str:
        return self.adapter.label

    def keep(self, key: str) -> None:
        """Have reports with this key believed from now on."""
        if key not in self.keys:
            self.target.keep(key)
            self.keys.insert(0, key)

    def keep_password(self) -> tuple[str, str]:
        """Return user and password of basic authentication: those of a known key, or new ones that are kept."""
        key = next((key for key in self.keys if ":" in key), f"{USER}:{self.target.new_key}")
        self.keep(key)
        user, _, password = key.partition(":")
        return user, password

    def read_id(self, row: Row, name: str) -> str:
        """Return the id of a webhook as a part of a path. Raise WebhookSetupError if it cannot be one."""
        identifier = as_text(row.get(name), max_length=100)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", identifier):
            raise self.calls.unreadable()
        return identifier

    def close(self) -> None:
        self.calls.close()

    @abstractmethod
    def read(self) -> WebhookState:
        """Return the state of our webhook."""

    @abstractmethod
    def install(self) -> WebhookState:
        """Create or repair our webhook and return its state."""

    def confirm(self, link: str) -> None:
        """Confirm the subscription that ``link`` asks about. Only a provider that asks needs it."""
        raise WebhookSetupError("%(provider)s asks for no confirmation.", provider=self.label)

    def _make_calls(self, transport: HttpCaller) -> SetupCalls:
        target, settings = self.target, self.settings
        account = SetupAccount(
            provider=self.label,
            setting=target.setting,
            right=self.right,
            endpoint=settings.endpoint or self.adapter.default_endpoint,
            secrets=list_secrets(settings, target),
            headers=self._headers(),
            auth=self._auth(),
        )
        return SetupCalls(account, transport=transport, seconds_between=self.seconds_between)

    def _headers(self) -> Mapping[str, str]:
        """Return the headers with the key."""
        return {}

    def _auth(self) -> tuple[str, str] | None:
        """Return user and password, for a provider that accepts the key in this form."""
        return None


class ListedWebhooks(WebhookSetup):
    """A provider that lists webhooks as rows with an address each, and creates and changes one at a time."""

    url_field: ClassVar[str]

    def read(self) -> WebhookState:
        return self._describe(self._list())

    def install(self) -> WebhookState:
        rows = self._list()
        webhook = self._find_ours(rows)
        if webhook is None:
            self._create()
        elif self._needs_change(webhook):
            self._change(webhook)
        else:
            return self._describe(rows)
        return self.read()

    def _describe(self, rows: Sequence[Row]) -> WebhookState:
        ours = self._find_ours(rows)
        others = sum(not self._is_ours(row) for row in rows)
        return WebhookState(tuple(self._find_problems(ours)) if ours is not None else (no_webhook(self.label),), others)

    def _needs_change(self, row: Row) -> bool:
        return bool(self._find_problems(row))

    def _find_ours(self, rows: Sequence[Row]) -> Row | None:
        return next((row for row in rows if self._is_ours(row)), None)

    def _is_ours(self, row: Row) -> bool:
        return is_same_url(as_text(row.get(self.url_field), max_length=2000), self.target.url)

    @abstractmethod
    def _list(self) -> Sequence[Row]:
        """Return all webhooks of the account, of all pages."""

    @abstractmethod
    def _find_problems(self, row: Row) -> list[str]:
        """Return the problems of our webhook."""

    @abstractmethod
    def _create(self) -> None:
        """Create our webhook."""

    @abstractmethod
    def _change(self, row: Row) -> None:
        """Repair our webhook."""


def no_webhook(provider: str) -> str:
    return Message("%(provider)s has no webhook that leads here.", provider=provider)


def missing_events(names: Sequence[str]) -> str:
    return Message("It does not report: %(events)s.", events=", ".join(names))


def switched_off() -> str:
    return Message("It is switched off.")


def unknown_key() -> str:
    return Message("Its reports come with a key that is not known here, so they are refused.")


def is_same_url(url: str, ours: str) -> bool:
    """Return True if both addresses are the same, but for a user, a password, and a slash at the end."""
    return _strip(url) == _strip(ours)


def read_userinfo(url: str) -> str:
    """Return ``user:password`` of an address, or ""."""
    userinfo, separator, _ = url.partition("://")[2].partition("/")[0].rpartition("@")
    return unquote(userinfo) if separator else ""


def list_secrets(settings: ProviderSettings, target: WebhookTarget) -> tuple[str, ...]:
    """Return the secrets that no message may show: keys, passwords, and the secret part of our address."""
    secret_part = urlsplit(target.url).path.rstrip("/").rpartition("/")[2]
    return (target.url, secret_part, settings.key, settings.secret, *target.keys, target.new_key)


def _strip(url: str) -> str:
    scheme, _, address = url.partition("://")
    host, slash, path = address.partition("/")
    return f"{scheme.lower()}://{host.rpartition('@')[2].lower()}{slash}{path}".rstrip("/")
