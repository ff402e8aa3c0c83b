"""From NEWSLETTER_PROVIDER_URL to an adapter. The key that it holds must reach no message, label or repr."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from newsletter.providers.base.contract import Adapter
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.brevo import adapter as brevo
from newsletter.providers.mailgun import adapter as mailgun
from newsletter.providers.outbox.adapter import Outbox
from newsletter.providers.postmark import adapter as postmark
from newsletter.providers.resend import adapter as resend
from newsletter.providers.sendgrid import adapter as sendgrid
from newsletter.providers.ses import adapter as ses
from newsletter.providers.sparkpost import adapter as sparkpost

_MAX_BATCH_SIZES = {
    "outbox": 1000,
    "mailgun": mailgun.MAX_BATCH_SIZE,
    "postmark": postmark.MAX_BATCH_SIZE,
    "sendgrid": sendgrid.MAX_BATCH_SIZE,
    "resend": resend.MAX_BATCH_SIZE,
    "brevo": brevo.MAX_BATCH_SIZE,
    "sparkpost": sparkpost.MAX_BATCH_SIZE,
    "ses": ses.MAX_BATCH_SIZE,
}
_SCHEMES = tuple(_MAX_BATCH_SIZES)
_OPTIONS = (
    "endpoint",
    "webhook_key",
    "people_per_second",
    "calls_per_second",
    "max_batch",
    "stream",
    "configuration_set",
)
_URL_FORMS = {"mailgun": "mailgun://KEY@DOMAIN", "ses": "ses://KEY:SECRET@REGION"}
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,2}-\d")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+", re.IGNORECASE)


@dataclass(frozen=True)
class ProviderSettings:
    """NEWSLETTER_PROVIDER_URL taken apart. Rates are people or calls a second, None where not given.

    ``domain`` is what stands after the @: the sending domain of mailgun, the region of ses. ``webhook_key`` may be
    given more than once, or hold several keys with commas between: each is accepted, so that one can replace another.
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
    stream: str = ""
    configuration_set: str = ""

    @property
    def label(self) -> str:
        return f"{self.scheme} ({self.domain})" if self.domain else self.scheme


def make_adapter(url: str, *, outbox_dir: Path | None = None) -> Adapter:
    """Give the adapter that ``url`` names. ``outbox_dir`` is where ``outbox://`` writes. Raises BadProviderUrl."""
    settings = read_provider_url(url)
    common: dict[str, Any] = {
        "people_per_second": settings.people_per_second,
        "calls_per_second": settings.calls_per_second,
        **({"max_batch": settings.max_batch} if settings.max_batch else {}),
    }
    if settings.scheme == "outbox":
        if outbox_dir is None:
            raise BadProviderUrl("outbox:// needs a folder to write to, and none was given.")
        return Outbox(folder=outbox_dir, **common)
    if settings.endpoint:
        common["endpoint"] = settings.endpoint
    if settings.scheme == "mailgun":
        return mailgun.Mailgun(key=settings.key, domain=settings.domain, **common)
    if settings.scheme == "postmark":
        return postmark.Postmark(token=settings.key, stream=settings.stream or postmark.STREAM, **common)
    if settings.scheme == "sendgrid":
        return sendgrid.SendGrid(key=settings.key, **common)
    if settings.scheme == "ses":
        return ses.Ses(
            key=settings.key,
            secret=settings.secret,
            region=settings.domain,
            configuration_set=settings.configuration_set,
            **common,
        )
    if settings.scheme == "brevo":
        return brevo.Brevo(key=settings.key, **common)
    if settings.scheme == "sparkpost":
        return sparkpost.SparkPost(key=settings.key, **common)
    return resend.Resend(key=settings.key, **common)


def describe(url: str) -> str:
    """Give a label that is safe to show and log, such as ``mailgun (news.example.org)``. Raises BadProviderUrl."""
    return read_provider_url(url).label


def read_provider_url(url: str) -> ProviderSettings:
    """Take ``url`` apart. Raises BadProviderUrl, which names the part at fault and never the key."""
    scheme, mark, rest = url.strip().partition("://")
    scheme = scheme.lower()
    if not mark:
        raise BadProviderUrl(
            "NEWSLETTER_PROVIDER_URL has no scheme. Write outbox:// or, for example, mailgun://KEY@DOMAIN."
        )
    if scheme not in _SCHEMES:
        raise BadProviderUrl(
            f"NEWSLETTER_PROVIDER_URL names a provider that is not known here{_suggest_name(scheme, _SCHEMES)}. "
            f"Known are {', '.join(name + '://' for name in _SCHEMES)}."
        )
    place, _, query = rest.partition("?")
    options = _read_options(query)
    key, _, domain = place.strip("/").rpartition("@")
    secret = ""
    if scheme == "ses":
        key, _, secret = key.partition(":")
    key, secret, domain = unquote(key), unquote(secret), domain.strip("/").lower()
    if scheme == "outbox":
        if place.strip("/"):
            raise BadProviderUrl(
                "outbox:// takes nothing after it; mail is written to the outbox folder of NEWSLETTER_DATA_DIR."
            )
    else:
        _check_account(scheme, key, domain)
    if scheme == "ses":
        _check_ses(key, secret, domain)
    if "configuration_set" in options and (
        scheme != "ses" or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", options["configuration_set"])
    ):
        raise BadProviderUrl(
            "configuration_set in NEWSLETTER_PROVIDER_URL is the name of a configuration set of Amazon SES."
        )
    if "stream" in options and (scheme != "postmark" or not re.fullmatch(r"[a-z0-9-]{1,64}", options["stream"])):
        raise BadProviderUrl("stream in NEWSLETTER_PROVIDER_URL is the id of a message stream of Postmark's.")
    return ProviderSettings(
        scheme=scheme,
        key=key,
        secret=secret,
        domain=domain,
        endpoint=_endpoint(options.get("endpoint", "")),
        webhook_key=options.get("webhook_key", ""),
        people_per_second=_rate(options, "people_per_second"),
        calls_per_second=_rate(options, "calls_per_second"),
        max_batch=_max_batch(options, limit=_MAX_BATCH_SIZES[scheme]),
        stream=options.get("stream", ""),
        configuration_set=options.get("configuration_set", ""),
    )


def _check_account(scheme: str, key: str, domain: str) -> None:
    form = _URL_FORMS.get(scheme, f"{scheme}://KEY@")
    if not key:
        raise BadProviderUrl(f"NEWSLETTER_PROVIDER_URL has no key. Write {form} with a key that may send.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise BadProviderUrl(
            "The key in NEWSLETTER_PROVIDER_URL holds a space or a letter that a key cannot have. Copy it again."
        )
    if scheme == "mailgun" and not _HOST.fullmatch(domain):
        raise BadProviderUrl(
            f"NEWSLETTER_PROVIDER_URL has no sending domain after the @, such as news.example.org. Write {form}."
        )
    if scheme not in _URL_FORMS and domain:
        raise BadProviderUrl(
            f"NEWSLETTER_PROVIDER_URL has something after the @ that {scheme} does not use. Write {form}."
        )


def _check_ses(key: str, secret: str, region: str) -> None:
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret or "/" in key:
        raise BadProviderUrl(
            f"NEWSLETTER_PROVIDER_URL has no usable secret after the key. Write {_URL_FORMS['ses']}; where the secret "
            "holds / or +, write %2F and %2B."
        )
    if not _REGION.fullmatch(region):
        raise BadProviderUrl(
            f"NEWSLETTER_PROVIDER_URL has no Amazon region after the @, such as eu-west-1. Write {_URL_FORMS['ses']}."
        )


def _read_options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise BadProviderUrl(
                f"NEWSLETTER_PROVIDER_URL has the unknown option {name[:40]!r}{_suggest_name(name, _OPTIONS)}. "
                f"Known are {', '.join(_OPTIONS)}."
            )
        if name == "webhook_key" and options.get(name):
            value = f"{options[name]},{value}"
        options[name] = value
    return options


def _endpoint(text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadProviderUrl(
            "The endpoint in NEWSLETTER_PROVIDER_URL is not an address. Write https://HOST or https://HOST:PORT."
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise BadProviderUrl(
            "The endpoint in NEWSLETTER_PROVIDER_URL must be https://HOST or https://HOST:PORT, nothing more."
        )
    if parts.path.strip("/"):
        raise BadProviderUrl(
            "The endpoint in NEWSLETTER_PROVIDER_URL must not have a path; the provider's own path is added to it."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _rate(options: Mapping[str, str], name: str) -> float | None:
    text = options.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,7}(\.\d{1,6})?", text) or float(text) <= 0:
        raise BadProviderUrl(f"{name} in NEWSLETTER_PROVIDER_URL must be a number above 0, such as 50.")
    return float(text)


def _max_batch(options: Mapping[str, str], *, limit: int) -> int | None:
    text = options.get("max_batch")
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,4}", text) or not 1 <= int(text) <= limit:
        raise BadProviderUrl(f"max_batch in NEWSLETTER_PROVIDER_URL must be a whole number from 1 to {limit:,}.")
    return int(text)


def _suggest_name(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name.lower(), known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
