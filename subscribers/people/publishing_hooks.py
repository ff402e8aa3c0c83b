"""What the app around the people tells their pages: how the organisation looks, what a month of mail was, what to forget.

The app registers its functions when it starts, so that people need to know nothing of publishing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from subscribers.models import Frequency, MailingList, Subscriber


@dataclass(frozen=True)
class Branding:
    """The organisation as its pages show it. Paths are of this site; `light` and `dark` are CSS colours by name.

    Whoever registers a look sees to it that its colours are readable on one another.
    """

    name: str = ""
    language: str = "en"
    website: str = ""
    logo: str = ""
    logo_dark: str = ""
    display_font: str = ""
    light: Mapping[str, str] = field(default_factory=dict)
    dark: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MonthlyMailCount:
    """How many mails of a list the last month held for one person: all of them, and those with an event near them."""

    issues: int
    with_events: int


@dataclass(frozen=True)
class PublishingHooks:
    """The functions of the app around the people."""

    branding: Callable[[], Branding] = Branding
    last_month: Callable[[Subscriber, MailingList, datetime], MonthlyMailCount | None] = (
        lambda person, mailing_list, now: None
    )
    frequencies: Callable[[MailingList], frozenset[Frequency]] = lambda mailing_list: frozenset(Frequency)
    forget: Callable[[Subscriber], None] = lambda person: None


_registered = [PublishingHooks()]


def register_publishing_hooks(host: PublishingHooks) -> None:
    """Called once, when the app starts. A later call replaces the earlier."""
    _registered[0] = host


def get_publishing_hooks() -> PublishingHooks:
    return _registered[0]
