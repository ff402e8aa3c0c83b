"""Texts for staff state the periods that the program uses. A text with a new period fails until it stands here."""

import re
from datetime import timedelta

import pytest

from newsletter.api_keys import CALLS_RETENTION
from newsletter.desk.publications.limits_page import LOOK_AHEAD
from newsletter.models import StaffLink
from newsletter.models.special_issues.welcome import MAX_LATE
from newsletter.organisation.accounts.staff_links import LIFETIMES as STAFF_LINKS
from newsletter.outbound.outcome import PATIENCE
from newsletter.outbound.replay import RETENTION as EVENTS_KEPT
from newsletter.sending.deliverability.dmarc_reports.advice import LOOK_BACK_DAYS
from newsletter.sending.notices.template_mails import RETENTION as MAILS_KEPT
from newsletter.sending.settling.retention import RETENTION as RECIPIENTS_KEPT
from subscribers.confirmation_quota import CONFIRMATION_INTERVAL
from subscribers.consent.implied_consent import EXPIRY_NOTICE_PERIOD
from subscribers.erasing.retention import UNSUBSCRIBED_RETENTION
from subscribers.exporting.export_requests import EXPORT_RECORD_RETENTION
from subscribers.importing.writing.import_steps import UPLOAD_RETENTION_DAYS
from subscribers.links.signed_links import LIFETIMES, Purpose
from subscribers.people.inactivity import ANSWER_TIME
from tests.support.program_values import ProgramValues, is_in_a_text

PERIODS: list[tuple[timedelta, tuple[str, ...]]] = [
    (
        RECIPIENTS_KEPT,
        (
            "{} later, nobody knows its recipients.",
            "We delete who got an issue and who was left out {} after it was sent",
            "We deleted who got this issue {} after it was sent",
            "The reason was kept for {}, and then only the number",
            "No issue was sent to this person in the last {}.",
            "This issue was not sent to this person in the last {}.",
        ),
    ),
    (
        MAILS_KEPT,
        (
            "the rows are kept for {}.",
            "Mails were sent from “%(name)s” in the last {}",
            "This key sent no mail with the id %(id)s in the last {}.",
        ),
    ),
    (
        EVENTS_KEPT,
        ("Events are kept for {}.", "We keep new messages for {}.", "What happens meanwhile is kept for {}."),
    ),
    (PATIENCE, ("Given up after {}", "We try again until {} have passed.", "are sent again for {}")),
    (LOOK_AHEAD, ("Planned in the next {}",)),
    (MAX_LATE, ("New subscribers wait for it, for at most {}.", "wait for it, for at most {}.", "more than {} late")),
    (STAFF_LINKS[StaffLink.Kind.INVITATION], ("The link works once and for {}.",)),
    (
        LIFETIMES[Purpose.CONFIRM_ADDRESS] or timedelta(),
        ("confirm the new address within {}.", "Open the link below within {} and confirm"),
    ),
    (EXPIRY_NOTICE_PERIOD, ("implied consent expires within {}",)),
    (ANSWER_TIME, ("Without an answer in {}, they get no newsletters",)),
    (CONFIRMATION_INTERVAL, ("the mailbox had a confirmation mail in the last {}, or three in all",)),
    (timedelta(days=UPLOAD_RETENTION_DAYS), ("We keep the lines for {}.",)),
    (
        CALLS_RETENTION,
        (
            "No call was made with this key in the last {}.",
            "For each key we keep 1,000 calls for {}, without their contents.",
        ),
    ),
    (LIFETIMES[Purpose.PREFERENCES] or timedelta(), ("Links to your choices are valid for {}", "It is good for {};")),
    (timedelta(days=LOOK_BACK_DAYS), ("%(mails)s in {} failed from servers that also send mail of yours",)),
    (UNSUBSCRIBED_RETENTION, ("unsubscribed {} ago",)),
    (EXPORT_RECORD_RETENTION, ("This key asked for no export with the id %(id)s in the last {}.",)),
]
ELSEWHERE = (
    "1 day",
    "1 hour",
    "A key works for 1 to 3650 days",
    "in 7 days",  # the limit for one person is named after its period
    "in the last 24 hours, and this is",
    "Last 30 days",
    "Last 7 days",
    "Nothing for 30 days",
    "Nothing for 90 days",
    "planned in the next 7 days",
    "read in 24 hours",
    "Wait at least 6 months before you ask.",
)
"""Parts of texts whose period no constant states: choices, names and advice."""
_PERIOD = re.compile(r"\b\d[\d,]* (?:days?|hours?|weeks?|months?)\b")


def describe(period: timedelta) -> str:
    return f"{period.days} days" if period > timedelta(days=1) else f"{round(period / timedelta(hours=1))} hours"


TABLE = ProgramValues(PERIODS, describe=describe, pattern=_PERIOD, elsewhere=ELSEWHERE)


@pytest.mark.parametrize("expected", TABLE.expected)
def test_a_text_states_the_period_of_the_program(expected: str) -> None:
    assert is_in_a_text(expected), f"The period changed. Write “{expected}” into the text and its translation."


def test_each_text_with_a_period_is_compared_with_the_program() -> None:
    missing = TABLE.list_unlisted_texts()
    assert not missing, f"Add these to PERIODS with their constant, or to ELSEWHERE: {missing}"
