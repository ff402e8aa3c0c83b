"""Read NEWSLETTER_PROVIDER_URL. The key that it holds must reach no message, label or repr."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from urllib.parse import parse_qsl, unquote, urlsplit

from newsletter.providers.base.errors import DEFAULT_URL_SETTING, BadProviderUrl

COMMON_OPTIONS = ("endpoint", "webhook_key", "people_per_second", "calls_per_second", "max_batch")


@dataclass(frozen=True)
class ProviderSettings:
    """The parts of the URL of an account. Rates are people or calls a second, None if not given.

    ``domain`` follows the @: the sending domain of mailgun, the region of ses. ``webhook_key`` holds one key, or
    several with commas between: each is accepted, so that one can replace another. ``own_options`` belong to one
    provider. ``setting`` is the name of the setting with the URL, for messages that say what to correct.
    """

    scheme: str
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    domain: str = ""
    endpoint: str = ""
    webhook_key: str = field(default="", repr=False)
    people_per_second: float | None = None
    calls_per_second: float | None = None
    max_batch: int | None = None
    own_options: Mapping[str, str] = field(default_factory=dict)
    setting: str = DEFAULT_URL_SETTING

    @property
    def label(self) -> str:
        """A name that is safe to show and log, such as ``mailgun (news.example.org)``."""
        return f"{self.scheme} ({self.domain})" if self.domain else self.scheme


@dataclass(frozen=True)
class UrlOption:
    """An option of one provider. ``meaning`` completes "stream in NEWSLETTER_PROVIDER_URL is …"."""

    pattern: str
    meaning: str


def accept_account(settings: ProviderSettings) -> None:
    """Accept any account whose key can be read."""


@dataclass(frozen=True)
class UrlRules:
    """The rules for one provider's URL.

    ``account`` is the pattern before ``?``, such as ``KEY@DOMAIN``; "" if the provider has no account. ``check_account``
    raises BadProviderUrl for an account that cannot be right. ``without`` names common options that mean nothing here.
    """

    scheme: str
    max_batch: int
    account: str = "KEY@"
    options: Mapping[str, UrlOption] = field(default_factory=dict)
    check_account: Callable[[ProviderSettings], None] = accept_account
    needs_key: bool = True
    without: frozenset[str] = frozenset()

    @property
    def form(self) -> str:
        return f"{self.scheme}://{self.account}"


def parse_provider_url(url: str, *, rules: Mapping[str, UrlRules]) -> ProviderSettings:
    """Return the parts of ``url``. Raise BadProviderUrl, which names the wrong part and never the key."""
    scheme, mark, account_and_query = url.strip().partition("://")
    scheme = scheme.lower()
    if not mark:
        raise BadProviderUrl("%(setting)s has no scheme. Write outbox:// or, for example, mailgun://KEY@DOMAIN.")
    if scheme not in rules:
        raise BadProviderUrl(
            "%(setting)s names a provider that is not known here%(hint)s. Known are %(known)s. If it comes with an extension, "
            "install its package here first.",
            hint=_suggest_name(scheme, tuple(rules)),
            known=", ".join(f"{name}://" for name in rules),
        )
    own_rules = rules[scheme]
    account, _, query = account_and_query.partition("?")
    options = _read_options(query, rules)
    settings = _read_account(account.strip("/"), own_rules)
    _refuse_unused(options, own_rules)
    # The code of all providers is loaded only if the URL has an option that not all of them know.
    only_common = options.keys() <= set(COMMON_OPTIONS)
    for provider in (own_rules,) if only_common else rules.values():
        _check_options(options, provider=provider, own_rules=own_rules)
    return ProviderSettings(
        scheme=scheme,
        key=settings.key,
        secret=settings.secret,
        domain=settings.domain,
        endpoint=_read_endpoint(options.get("endpoint", "")),
        webhook_key=options.get("webhook_key", ""),
        people_per_second=_read_rate(options, "people_per_second"),
        calls_per_second=_read_rate(options, "calls_per_second"),
        max_batch=_read_max_batch(options, limit=own_rules.max_batch),
        own_options={name: value for name, value in options.items() if name in own_rules.options},
    )


def _check_options(options: Mapping[str, str], *, provider: UrlRules, own_rules: UrlRules) -> None:
    """Raise BadProviderUrl for an option of this provider that the URL's provider does not have, or whose value is wrong."""
    for name, option in provider.options.items():
        own_option = own_rules.options.get(name)
        if name in options and not (own_option and re.fullmatch(own_option.pattern, options[name])):
            raise BadProviderUrl(
                "%(name)s in %(setting)s must be %(meaning)s.",
                name=name,
                meaning=(own_option or option).meaning,
            )


def _refuse_unused(options: Mapping[str, str], rules: UrlRules) -> None:
    for name in sorted(rules.without & options.keys()):
        raise BadProviderUrl(
            "%(name)s in %(setting)s does nothing with %(scheme)s://. Take it out.",
            name=name,
            scheme=rules.scheme,
        )


def list_options(rules: Mapping[str, UrlRules]) -> tuple[str, ...]:
    """Return the names of all options, those of one provider at the end."""
    return (*COMMON_OPTIONS, *dict.fromkeys(name for provider in rules.values() for name in provider.options))


def is_plain_key(text: str) -> bool:
    """Return True if the text has only characters that providers use in keys."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _read_account(account: str, rules: UrlRules) -> ProviderSettings:
    if not rules.account:
        if account:
            raise BadProviderUrl(
                "%(form)s takes nothing after it; mail is written to the outbox folder of NEWSLETTER_DATA_DIR.",
                form=rules.form,
            )
        return ProviderSettings(rules.scheme)
    key, _, domain = account.rpartition("@")
    secret = ""
    if ":" in rules.account.rpartition("@")[0]:
        key, _, secret = key.partition(":")
    settings = ProviderSettings(
        rules.scheme, key=unquote(key), secret=unquote(secret), domain=domain.strip("/").lower()
    )
    if rules.needs_key and not settings.key:
        raise BadProviderUrl("%(setting)s has no key. Write %(form)s with a key that may send.", form=rules.form)
    if settings.key and not is_plain_key(settings.key):
        raise BadProviderUrl("The key in %(setting)s holds a space or a letter that a key cannot have. Copy it again.")
    if rules.account.endswith("@") and settings.domain:
        raise BadProviderUrl(
            "%(setting)s has something after the @ that %(scheme)s does not use. Write %(form)s.",
            scheme=rules.scheme,
            form=rules.form,
        )
    rules.check_account(settings)
    return settings


def _read_options(query: str, rules: Mapping[str, UrlRules]) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in COMMON_OPTIONS and name not in list_options(rules):
            option_names = list_options(rules)
            raise BadProviderUrl(
                "%(setting)s has the unknown option “%(name)s”%(hint)s. Known are %(known)s.",
                name=name[:40],
                hint=_suggest_name(name, option_names),
                known=", ".join(option_names),
            )
        if name == "webhook_key" and options.get(name):
            value = f"{options[name]},{value}"
        options[name] = value
    return options


def _read_endpoint(text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadProviderUrl(
            "The endpoint in %(setting)s is not an address. Write https://HOST or https://HOST:PORT."
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise BadProviderUrl("The endpoint in %(setting)s must be https://HOST or https://HOST:PORT, nothing more.")
    if parts.path.strip("/"):
        raise BadProviderUrl(
            "The endpoint in %(setting)s must not have a path; the provider's own path is added to it."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _read_rate(options: Mapping[str, str], name: str) -> float | None:
    text = options.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,7}(\.\d{1,6})?", text) or float(text) <= 0:
        raise BadProviderUrl("%(name)s in %(setting)s must be a number above 0, such as 50.", name=name)
    return float(text)


def _read_max_batch(options: Mapping[str, str], *, limit: int) -> int | None:
    text = options.get("max_batch")
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,4}", text) or not 1 <= int(text) <= limit:
        raise BadProviderUrl("max_batch in %(setting)s must be a whole number from 1 to %(limit)s.", limit=f"{limit:,}")
    return int(text)


def _suggest_name(name: str, names: tuple[str, ...]) -> str:
    close = get_close_matches(name.lower(), names, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
