"""The subject that each reader gets, and the test that decides: known values."""

from collections import Counter
from itertools import pairwise

import pytest

from newsletter.issues.snapshot.records.content import SubjectChoice, SubjectTestRecord
from newsletter.issues.variants.subject_assignment import WAITS
from newsletter.sending.subject_tests.chi_squared import Cases, compute_p_value, compute_survival, find_different_pairs
from newsletter.sending.subject_tests.measure_subjects import choose_subject
from tests.support.subject_tests import choose_arm


def make_test(*, subjects: int = 2, share: int = 10, seed: int = 7) -> SubjectTestRecord:
    return SubjectTestRecord(
        subjects=tuple(SubjectChoice(f"Subject {number}") for number in range(2, subjects + 1)),
        share_percent=share,
        wait_hours=4,
        seed=seed,
    )


@pytest.mark.parametrize(("subjects", "share"), [(2, 10), (3, 30), (4, 50)])
def test_each_subject_gets_an_equal_part_of_the_share(subjects: int, share: int) -> None:
    test = make_test(subjects=subjects, share=share)
    people = Counter(choose_arm(test, subscriber_id=number) for number in range(1, 100_001))
    expected = 100_000 * share / 100 / subjects
    assert set(people) == {WAITS, *range(1, subjects + 1)}
    for arm in range(1, subjects + 1):
        assert people[arm] == pytest.approx(expected, rel=0.06)


def test_another_seed_gives_other_people_the_subjects() -> None:
    first, second = (
        {number for number in range(20_000) if choose_arm(make_test(seed=seed), subscriber_id=number) == 1}
        for seed in (7, 8)
    )
    assert len(first & second) < len(first) / 5


def test_neighbours_are_spread_over_the_subjects() -> None:
    arms = [choose_arm(make_test(share=50), subscriber_id=number) for number in range(10_000)]
    same = sum(1 for one, other in pairwise(arms) if one == other)
    assert 0.3 < same / len(arms) < 0.45


@pytest.mark.parametrize(("statistic", "chance"), [(3.841459, 0.05), (6.634897, 0.01), (0, 1)])
def test_the_tail_of_chi_squared_has_the_values_of_tables(statistic: float, chance: float) -> None:
    assert compute_survival(statistic) == pytest.approx(chance, abs=1e-6)


def test_the_test_gives_the_value_of_a_known_table() -> None:
    # 4 % and 8 % of 500: chi-squared 7.0922 without correction
    assert compute_p_value(Cases(500, 20), Cases(500, 40)) == pytest.approx(0.007742, abs=1e-5)


@pytest.mark.parametrize("responses", [(4, 5), (500, 499), (0, 0)])
def test_too_few_expected_cases_decide_nothing(responses: tuple[int, int]) -> None:
    assert compute_p_value(*(Cases(500, one) for one in responses)) is None


def test_more_pairs_need_larger_differences() -> None:
    # 4 % and 7 %: p = 0.037, enough for one pair, and too much for the smallest of three
    assert find_different_pairs([Cases(500, 20), Cases(500, 35)], significance=0.05) == [(0, 1)]
    assert find_different_pairs([Cases(500, 20), Cases(500, 35), Cases(500, 27)], significance=0.05) == []


def test_after_a_difference_the_next_pair_has_fewer_beside_it() -> None:
    groups = [Cases(5000, 200), Cases(5000, 300), Cases(5000, 252)]
    p_values = [compute_p_value(groups[one], groups[other]) or 1 for one, other in ((0, 1), (0, 2), (1, 2))]
    assert p_values[0] < 0.05 / 3 < p_values[2] < 0.05
    assert find_different_pairs(groups, significance=0.05) == [(0, 1), (0, 2), (1, 2)]


@pytest.mark.parametrize(
    ("clicks", "chosen", "outcome"),
    [
        ((40, 80, 40), 2, "better"),
        ((40, 80, 78), 2, "some_worse"),
        ((40, 78, 80), 2, "some_worse"),
        ((60, 80, 30), 1, "some_worse"),
        ((40, 45, 42), 1, "no_difference"),
        ((40, 41, 42, 90), 4, "better"),
    ],
)
def test_the_first_subject_that_is_not_worse_than_another_wins(
    clicks: tuple[int, ...], chosen: int, outcome: str
) -> None:
    assert choose_subject([Cases(1000, one) for one in clicks], measure="clicks") == (chosen, outcome)


def test_fewer_unsubscribes_are_better() -> None:
    cases = [Cases(1000, 60), Cases(1000, 20), Cases(1000, 55)]
    assert choose_subject(cases, measure="leaving") == (2, "better")
