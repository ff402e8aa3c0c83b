"""Pearson's chi-squared test for two groups, and Holm's method for the pairs of several, by the standard library alone.

Sources: K. Pearson, Philosophical Magazine 50 (1900), 157-175, for the test; W. G. Cochran, Biometrics 10 (1954), 417-451,
for the fewest expected cases; Abramowitz and Stegun, Handbook of Mathematical Functions, 26.4.4, for its tail; S. Holm,
Scandinavian Journal of Statistics 6 (1979), 65-70, for several tests at once.
"""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

MIN_EXPECTED = 5.0


class Cases(NamedTuple):
    """A number of people, and how many of them responded."""

    people: int
    responses: int

    @property
    def rate(self) -> float:
        return self.responses / self.people


def find_different_pairs(groups: Sequence[Cases], *, significance: float) -> list[tuple[int, int]]:
    """Return the pairs of groups, by their indexes, that differ.

    The probability that any pair is named by chance alone is at most ``significance``, for any number of groups. Each group
    has people.
    """
    tested = [
        (compute_p_value(groups[one], groups[other]), (one, other))
        for one, other in combinations(range(len(groups)), 2)
    ]
    with_p_value = sorted((p_value, pair) for p_value, pair in tested if p_value is not None)
    different = []
    for number, (p_value, pair) in enumerate(with_p_value):
        if p_value >= significance / (len(tested) - number):
            break
        different.append(pair)
    return different


def compute_p_value(one: Cases, other: Cases) -> float | None:
    """Return the probability of a difference at least as large by chance, or None if too few responses are expected."""
    people, responses = one.people + other.people, one.responses + other.responses
    others = people - responses
    if min(one.people, other.people) * min(responses, others) < MIN_EXPECTED * people:
        return None
    statistic = 0.0
    for group in (one, other):
        for observed, total in ((group.responses, responses), (group.people - group.responses, others)):
            expected = group.people * total / people
            statistic += (observed - expected) ** 2 / expected
    return compute_survival(statistic)


def compute_survival(statistic: float) -> float:
    """Return the probability that a chi-squared variable with one degree of freedom is larger."""
    return math.erfc(math.sqrt(statistic / 2))
