"""Functions that the publishing app offers to people's pages, which must not import it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Literal

from django.db.models import QuerySet

from newsletter.common.archiving import Uses
from subscribers.models import Frequency, MailingList, Subscriber


@dataclass(frozen=True)
class Branding:
    """The organisation's appearance. Paths are on this site; `light` and `dark` map names to CSS colours.

    `contact` is the email address to which people can write. The caller that registers this ensures enough contrast of its
    colours.
    """

    name: str = ""
    language: str = "en"
    website: str = ""
    contact: str = ""
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
class MonthlyDigests:
    """The digests of a list: the most mails in a month, and if every newsletter of the list has one."""

    mails: int = 1
    has_all: bool = True


@dataclass(frozen=True)
class SentMail:
    """One issue that was sent to a person, or should have been. `why` and `outcome` are for people; `at` is in UTC.

    `was_handed_over`: the provider got their mail, or may have got it.
    """

    issue_id: int
    issue: str
    version: str
    at: datetime | None
    outcome: str
    why: str
    was_handed_over: bool = False


@dataclass(frozen=True)
class MissedMail:
    """A recent issue of a list that a person is on, which was not sent to them: `why`, or "" if it may be sent to them yet."""

    issue_id: int
    issue: str
    why: str = ""


@dataclass(frozen=True)
class PublishingHooks:
    """The registered functions, with defaults for a project that publishes nothing.

    ``topics`` returns the ids of the topics that change the mails of these lists. ``has_languages`` is True if one of their
    publications is in several languages. ``mails_a_month`` returns about how many mails a person gets in a month; 0 if
    nobody can say. ``find_limited_blocks`` returns what has a block for the readers of a segment or topic, by its slug.
    ``home_country`` returns the code of the country of a list's publications, or "" if that is not clear.
    ``lists_with_sender`` returns the lists about which a single mail can be sent. ``forget`` deletes the data about an
    erased person, by the hashes of all addresses that they had. ``find_awaiting`` returns those of these hashes of addresses
    where a single mail waits that was asked for after a time. ``reassign_mails`` counts the mails of one record of a person
    (``absorb``) for the other (``keep``). ``resume_welcome`` resumes a person's welcomes of lists that an unsubscribe
    stopped since a time.
    """

    branding: Callable[[], Branding] = Branding
    last_month: Callable[[Subscriber, MailingList, datetime], MonthlyMailCount | None] = (
        lambda person, mailing_list, now: None
    )
    frequencies: Callable[[MailingList], frozenset[Frequency]] = lambda mailing_list: frozenset(Frequency)
    digests: Callable[[MailingList], MonthlyDigests] = lambda mailing_list: MonthlyDigests()
    topics: Callable[[Iterable[MailingList]], set[int]] = lambda lists: set()
    has_languages: Callable[[Iterable[MailingList]], bool] = lambda lists: False
    mails_a_month: Callable[[Subscriber, datetime], int] = lambda person, now: 0
    list_mails: Callable[[Subscriber], list[SentMail]] = lambda person: []
    list_missed: Callable[[Subscriber], list[MissedMail]] = lambda person: []
    find_open_issues: Callable[[MailingList], list[Uses]] = lambda mailing_list: []
    find_limited_blocks: Callable[[Literal["segment", "topic"], str], list[Uses]] = lambda kind, slug: []
    home_country: Callable[[MailingList], str] = lambda mailing_list: ""
    lists_with_sender: Callable[[], QuerySet[MailingList]] = lambda: MailingList.objects.none()
    forget: Callable[[Collection[bytes]], None] = lambda hashes: None
    find_awaiting: Callable[[Collection[bytes], datetime], set[bytes]] = lambda hashes, since: set()
    reassign_mails: Callable[..., None] = lambda *, keep, absorb: None
    resume_welcome: Callable[[Subscriber, Collection[MailingList], datetime], None] = lambda person, lists, since: None


_registered: list[Callable[[], PublishingHooks]] = [PublishingHooks]


def register_publishing_hooks(load: Callable[[], PublishingHooks]) -> None:
    """Register what returns the functions, replacing an earlier one. It is called when a page first needs one of them."""
    _registered[0] = cache(load)


def get_publishing_hooks() -> PublishingHooks:
    return _registered[0]()
