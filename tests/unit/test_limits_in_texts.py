"""Texts for staff state the limits that the program uses. A text with a new limit fails until it is listed here."""

import re

import pytest
from django.contrib.auth.password_validation import MinimumLengthValidator, get_default_password_validators

from newsletter.api_keys import CALLS_KEPT, MAX_DAYS
from newsletter.content.parsing.aggregate_reports.sandboxed import MAX_FILE_BYTES as MAX_REPORT_BYTES
from newsletter.desk.dmarc.page import MAX_FILES
from newsletter.desk.publications.brand_forms import MAX_LOGO_BYTES
from newsletter.desk.sends.gifts_page import MAX_BYTES as MAX_GIFT_BYTES
from newsletter.desk.staff.api_keys import CALLS_SHOWN
from newsletter.feedback.automatic_pause import MAX_COMPLAINT_SHARE, MAX_HARD_BOUNCE_SHARE
from newsletter.feedback.send_warnings import WARN_BOUNCE_SHARE
from newsletter.feedback.sent_mails import MAX_MAILS
from newsletter.issues.variants.subject_test_rules import MIN_PEOPLE
from newsletter.models import SubjectTest
from newsletter.sending.deliverability.gmail_figures.spam_rate_level import MAX_RATE, WARN_RATE
from newsletter.sending.limits.send_times import WARM_UP_LIMITS
from subscribers.importing.reading.ndjson import MAX_LINE_BYTES
from subscribers.models.exports import MAX_PEOPLE_WITHOUT_APPROVAL
from tests.support.program_values import ProgramValues, is_in_a_text

MEGABYTE = 1_000_000
SHORTEST_PASSWORD = next(
    validator.min_length
    for validator in get_default_password_validators()
    if isinstance(validator, MinimumLengthValidator)
)
LIMITS: list[tuple[float, tuple[str, ...]]] = [
    (CALLS_KEPT, ("For each key we keep {} calls",)),
    (CALLS_SHOWN, ("The last {} calls.",)),
    (MAX_DAYS, ("A key works for 1 to {} days",)),
    (MAX_REPORT_BYTES // MEGABYTE, ("A file is larger than {} MB, so it is no report.",)),
    (MAX_GIFT_BYTES // MEGABYTE, ("The file is larger than {} MB. Split it.",)),
    (MAX_LOGO_BYTES // MEGABYTE, ("The file is larger than {} MB. Make the image smaller.",)),
    (MAX_LINE_BYTES // MEGABYTE, ("is longer than {} MB.",)),
    (MAX_FILES, ("at most {} at once", "These are too many files. Choose at most {}.")),
    (MAX_MAILS, ("Newest first, at most {}.",)),
    (
        MAX_PEOPLE_WITHOUT_APPROVAL,
        (
            "An export of more than {} people needs",
            "For more than {} people within a day, a second person must allow",
            "exports of more than {} people only if",
            "This export has more than {} people",
        ),
    ),
    (MIN_PEOPLE, ("Fewer than {} people got each subject",)),
    (SubjectTest.MAX_HOURS, ("From 1 to {}. The others wait so long",)),
    (SubjectTest.MAX_SHARE, (f"In percent, from {SubjectTest.MIN_SHARE} to {{}}.",)),
    (SHORTEST_PASSWORD, ("At least {} characters.",)),
    (WARM_UP_LIMITS[0], ("starts with {} people on this day",)),
    (
        MAX_COMPLAINT_SHARE,
        ("at {} a send stops automatically.", "the limit is {})", "above {} it may refuse all your mail"),
    ),
    (MAX_HARD_BOUNCE_SHARE, ("at {} a send stops automatically.", "do not exist (%(share)s; the limit is {})")),
    (
        WARN_BOUNCE_SHARE,
        ("Above {} mailbox providers consider a sender careless", "Above {}, providers start to refuse"),
    ),
    (WARN_RATE, ("Gmail wants less than {}",)),
    (
        MAX_RATE,
        (
            "and refuses or hides mail above {}",
            "Above {}, the next issue pauses",
            "If more than {} of your mail at Gmail",
            "The limit is {}. Gmail refuses",
            "That is above {}",
        ),
    ),
]
ELSEWHERE = (
    "1 to 28, because every month has these days.",
    "A share from 0 to 1.",
    "It goes to 1 person.",
    "More than 0.",
    "Such as: PDF, 2 MB.",
    "The number of this batch within its variant, from 0.",
    "Wait at least 6 months before you ask.",
    "a mail whose subject has fewer than 10 characters",
    "for at most 14 days.",  # test_periods_in_texts
    "id of at most 120 characters",
    "in one sentence of at most 255 characters.",
    "it was more than 14 days late",
    "must answer with 200 to 299.",
    "must be more than 0",
    "not a distance from 1 to %(farthest_km)s km",
    "not above 0, or too large",
    "not of at most 20 small letters",
    "delivery numbers, at most 100.",
)
"""Parts of texts whose number no constant states: advice, examples and facts of others."""
_LIMIT = re.compile(
    r"\b\d[\d.,]* ?(?:%|MB\b)|\b(?:at most|at least|up to|more than|fewer than|above|to|from) \d[\d,]*\b", re.IGNORECASE
)


def describe(limit: float) -> str:
    return f"{limit * 100:g} %" if isinstance(limit, float) else str(limit) if limit == MAX_DAYS else f"{limit:,}"


TABLE = ProgramValues(LIMITS, describe=describe, pattern=_LIMIT, elsewhere=ELSEWHERE)


@pytest.mark.parametrize("expected", TABLE.expected)
def test_a_text_states_the_limit_of_the_program(expected: str) -> None:
    assert is_in_a_text(expected), f"The limit changed. Write “{expected}” into the text and its translation."


def test_each_text_with_a_limit_is_compared_with_the_program() -> None:
    missing = TABLE.list_unlisted_texts()
    assert not missing, f"Add these to LIMITS with their constant, or to ELSEWHERE: {missing}"
