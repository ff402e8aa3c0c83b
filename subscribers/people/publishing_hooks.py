"""Functions that the publishing app registers at its start, so that people's pages need not import it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from subscribers.models import Frequency, MailingList, Subscriber


@dataclass(frozen=True)
class Branding:
    """The organisation's appearance. Paths are on this site; `light` and `dark` map names to CSS colours.

    Whoever registers it makes sure that its colours have enough contrast.
    """

    name: str = ""
    language: str = "en"
    website: str = ""
    privacy_url: str = ""
    logo: str = ""
    logo_dark: str = ""
    display_font: str = ""
    light: Mapping[str, str] = field(default_factory=dict)
    dark: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MonthlyMailCount:
    """The mails of a list that one person got in the last month, and those with an event near them."""

    issues: int
    with_events: int


@dataclass(frozen=True)
class SentMail:
    """One issue that was sent to a person, or should have been. `why` and `outcome` are for people; `at` is in UTC."""

    issue_id: int
    issue: str
    version: str
    at: datetime | None
    outcome: str
    why: str


@dataclass(frozen=True)
class PublishingHooks:
    """The registered functions, with defaults for a project that publishes nothing."""

    branding: Callable[[], Branding] = Branding
    last_month: Callable[[Subscriber, MailingList, datetime], MonthlyMailCount | None] = (
        lambda person, mailing_list, now: None
    )
    frequencies: Callable[[MailingList], frozenset[Frequency]] = lambda mailing_list: frozenset(Frequency)
    list_mails: Callable[[Subscriber], list[SentMail]] = lambda person: []
    forget: Callable[[Subscriber], None] = lambda person: None


_registered = [PublishingHooks()]


def register_publishing_hooks(host: PublishingHooks) -> None:
    """Register the functions, replacing earlier ones. Call it once, when the app starts."""
    _registered[0] = host


def get_publishing_hooks() -> PublishingHooks:
    return _registered[0]
