"""A mailbox provider's figures about a sender's domain, and the kinds of failure. Decisions go by these, never by texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from newsletter.common.errors import DomainError


class FigureFailure(StrEnum):
    """Why there are no figures. ``NOT_VERIFIED``: the domain is not added there, not verified, or not shared with our key."""

    KEY_FILE = "key_file"
    KEY_REFUSED = "key_refused"
    PERSON_REFUSED = "person_refused"
    SCOPE_MISSING = "scope_missing"
    API_OFF = "api_off"
    CLOCK = "clock"
    NOT_VERIFIED = "not_verified"
    QUOTA = "quota"
    NO_ANSWER = "no_answer"
    SERVER_ERROR = "server_error"
    UNREADABLE = "unreadable"


class FiguresUnavailable(DomainError):
    """The figures could not be read. ``failure`` says why; the message is for logs and holds no key."""

    def __init__(self, failure: FigureFailure, template: str, /, **values: object) -> None:
        super().__init__(template, **values)
        self.failure = failure


@dataclass(frozen=True)
class SpamRate:
    """The share of mails, from 0 to 1, that people reported as spam on one day."""

    day: date
    rate: float


@dataclass(frozen=True)
class Requirement:
    """A rule for senders, by the mailbox provider's own name such as “SPF”, and if the domain meets it."""

    name: str
    is_met: bool


class FigureReader(Protocol):
    """Reads the figures of one domain. A day or a requirement without a figure is left out: it is never 0."""

    def read_spam_rates(self, domain: str, *, first: date, last: date) -> Sequence[SpamRate]:
        """Return the rates of the days from ``first`` to ``last`` that have one. Raises FiguresUnavailable."""
        ...

    def read_requirements(self, domain: str) -> Sequence[Requirement]:
        """Return the requirements that have a verdict. Raises FiguresUnavailable."""
        ...
