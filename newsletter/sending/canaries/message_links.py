"""Find the web addresses in a mail as it arrived, and check that they answer. They are only fetched (GET)."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import EmailMessage, MIMEPart
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings
from lxml import html as lxml_html
from lxml.etree import ParserError

from newsletter.content.fetching.errors import BadStatus, FetchError, Refused, TooLarge, TooSlow, Unreachable
from newsletter.content.fetching.fetcher import PICTURE, Fetcher, Limits
from newsletter.issues.variants.mail_links import untrack_links

MAX_ADDRESSES = 40
"""The limit of fetched addresses of one kind. An issue has fewer."""
MAX_HTML = 1_000_000
PAGE_LIMITS = Limits(max_bytes=65_536, connect=4.0, first_byte=6.0, total=8.0)
PICTURE_LIMITS = Limits(max_bytes=PICTURE.max_bytes, connect=4.0, first_byte=6.0, total=10.0)
GONE_STATUSES = (404, 410)

Answer = Literal["works", "dead", "silent", "unknown"]
"""``dead``: the site has no such page. ``silent``: the site did not answer. ``unknown``: we did not or must not ask."""


@dataclass(frozen=True)
class MailAddresses:
    """The addresses that readers load or follow, each once, in the order of the mail. Our own pages are not among the links."""

    pictures: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    unsubscribe: str = ""


@dataclass(frozen=True)
class CheckedAddresses:
    """The addresses of one kind by what their sites answered."""

    dead: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    works: int = 0


def list_addresses(mail: EmailMessage) -> MailAddresses:
    """Return the addresses of a mail of ours. A counted link is followed to its target, so that no click is counted."""
    header = "".join(str(mail.get("List-Unsubscribe", "")).split())
    angled = [part.partition(">")[0] for part in header.split("<")[1:]]
    unsubscribe = next((address for address in angled if _is_web(address)), "")
    part = mail.get_body(("html",))
    try:
        document = lxml_html.document_fromstring(untrack_links(_read_text(part))[:MAX_HTML]) if part else None
    except (ParserError, ValueError):
        document = None
    if document is None:
        return MailAddresses(unsubscribe=unsubscribe)
    return MailAddresses(
        pictures=_keep_web(image.get("src", "") for image in document.iter("img")),
        links=tuple(
            target for target in _keep_web(link.get("href", "") for link in document.iter("a")) if not _is_own(target)
        ),
        unsubscribe=unsubscribe,
    )


def check_pictures(addresses: Iterable[str], *, fetcher: Fetcher, until: float) -> CheckedAddresses:
    """Fetch pictures. Readers see any error of their site too. ``until`` is by ``time.monotonic``."""
    return _check(addresses, lambda address: _ask(fetcher, address, limits=PICTURE_LIMITS, is_strict=True), until=until)


def check_links(addresses: Iterable[str], *, fetcher: Fetcher, until: float) -> CheckedAddresses:
    """Fetch the pages of links. Only “no such page” counts: many sites refuse programs. ``until`` is by ``time.monotonic``."""
    return _check(addresses, lambda address: _ask(fetcher, address, limits=PAGE_LIMITS, is_strict=False), until=until)


def check_page(address: str, *, fetcher: Fetcher) -> Answer:
    """Fetch the page to unsubscribe as a person's browser does, which unsubscribes nobody."""
    return _ask(fetcher, address, limits=PAGE_LIMITS, is_strict=True)


def _check(addresses: Iterable[str], ask: Callable[[str], Answer], *, until: float) -> CheckedAddresses:
    by_answer: dict[Answer, list[str]] = {"works": [], "dead": [], "silent": [], "unknown": []}
    for number, address in enumerate(addresses):
        is_asked = number < MAX_ADDRESSES and time.monotonic() < until
        by_answer[ask(address) if is_asked else "unknown"].append(address)
    return CheckedAddresses(
        tuple(by_answer["dead"]), tuple(by_answer["silent"]), tuple(by_answer["unknown"]), works=len(by_answer["works"])
    )


def _ask(fetcher: Fetcher, address: str, *, limits: Limits, is_strict: bool) -> Answer:
    try:
        fetcher.fetch(address, limits=limits)
    except BadStatus as error:
        return "dead" if is_strict or error.status in GONE_STATUSES else "works"
    except TooLarge:
        return "works"
    except (Unreachable, TooSlow):
        return "silent"
    except (Refused, FetchError):
        return "unknown"
    return "works"


def _read_text(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode(part.get_content_charset("utf-8"), "replace") if isinstance(payload, bytes) else ""


def _keep_web(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for text in addresses if _is_web(address := text.strip())))


def _is_web(address: str) -> bool:
    return address.lower().startswith(("http://", "https://"))


def _is_own(address: str) -> bool:
    """Return True for a page of our site. Its address may identify a reader, and `check_page` tests our site."""
    site = urlsplit(settings.NEWSLETTER_SITE_URL)
    return urlsplit(address).netloc.lower() == site.netloc.lower()
