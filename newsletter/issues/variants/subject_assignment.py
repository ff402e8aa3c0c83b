"""Decide which subject of a test each reader gets: by the seed of the test and the number of the subscriber, nothing else.

The same numbers come from Python, SQLite and PostgreSQL, so a second freeze gives everybody the same subject.
"""

import hashlib
from dataclasses import replace

from django.db.models import BigIntegerField, Case, F, IntegerField, Q, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.lookups import LessThan

from newsletter.issues.snapshot.records.content import IssueContent, SubjectTestRecord
from newsletter.issues.visible.visible_content import ONLY_EVENTS

NO_TEST, FIRST, WAITS = 0, 1, -1
"""Arms: not in a test; the issue's own subject, then 2 to 4 for the others; waits for the decision."""
_PRIME = 2**31 - 1
"""Products of two numbers below it fit into 64 bits, with room for a third."""


def number_arm_of_subscription(content: IssueContent) -> Value | Case:
    """Return the expression of the arm, for a row of a subscription.

    Readers of a further language and of the events only get a subject of their own, so they are not in the test.
    """
    test = content.subject_test
    if test is None:
        return Value(NO_TEST, output_field=IntegerField())
    untested = Q(frequency=ONLY_EVENTS)
    for version in content.versions:
        untested |= read_language(version.publication.language)
    return Case(
        When(untested, then=Value(NO_TEST)),
        *(When(LessThan(_make_number(test), _big(end)), then=Value(arm)) for arm, end in _list_ends(test)),
        default=Value(WAITS),
        output_field=IntegerField(),
    )


def read_language(code: str) -> Q:
    """Return the condition of people who read a language, for a row of a subscription."""
    return Q(subscriber__language__iexact=code) | Q(subscriber__language__istartswith=f"{code}-")


def with_subject(content: IssueContent, *, arm: int) -> IssueContent:
    """Return the content with the subject and preheader of an arm. Nothing else of the mail changes."""
    if content.subject_test is None or arm <= FIRST:
        return content
    chosen = content.subject_test.subjects[arm - 2]
    return replace(
        content,
        subject=chosen.subject,
        preheader=chosen.preheader or content.preheader,
        headline=content.headline or content.subject,
    )


def list_arms(content: IssueContent) -> range:
    """Return the numbers of the subjects of a test; empty without one."""
    return range(FIRST, FIRST + content.subject_test.number_of_subjects) if content.subject_test else range(0)


def _make_number(test: SubjectTestRecord) -> CombinedExpression:
    a, b, c, prime = (_big(value) for value in (*_make_coefficients(test.seed), _PRIME))
    x = F("subscriber_id") % prime
    return ((a * x + b) % prime * x + c) % prime


def _big(value: int) -> Value:
    return Value(value, output_field=BigIntegerField())


def _list_ends(test: SubjectTestRecord) -> list[tuple[int, int]]:
    """Return each arm with the number below which it ends: equal parts of the share."""
    in_test = _PRIME * test.share_percent // 100
    count = test.number_of_subjects
    return [(FIRST + index, in_test * (index + 1) // count) for index in range(count)]


def _make_coefficients(seed: int) -> tuple[int, int, int]:
    """Return a random polynomial of degree two: the numbers of any three people are independent (Wegman and Carter, 1981)."""
    digest = hashlib.sha256(f"subject test {seed}".encode()).digest()
    a, b, c = (int.from_bytes(digest[start : start + 8], "big") for start in (0, 8, 16))
    return 1 + a % (_PRIME - 1), b % _PRIME, c % _PRIME
