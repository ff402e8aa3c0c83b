from datetime import UTC, datetime
from itertools import islice

import pytest

from newsletter.common.errors import BadSchedule
from newsletter.common.schedule import check_schedule, describe, due_after, parse_due


def dues(moment: datetime, schedule: str, zone: str, count: int) -> list[tuple[str, str]]:
    found = islice(due_after(moment, schedule=schedule, zone=zone), count)
    return [(due.local, due.at.isoformat()) for due in found]


def test_a_weekly_schedule_keeps_its_wall_clock_time_across_dst():
    assert dues(datetime(2027, 3, 20, tzinfo=UTC), "0 9 * * thu", "Europe/London", 2) == [
        ("2027-03-25T09:00", "2027-03-25T09:00:00+00:00"),
        ("2027-04-01T09:00", "2027-04-01T08:00:00+00:00"),
    ]


@pytest.mark.requirement("F11")
def test_a_missing_hour_is_due_once_right_after_the_gap():
    assert dues(datetime(2027, 3, 27, 12, tzinfo=UTC), "30 1 * * *", "Europe/London", 2) == [
        ("2027-03-28T01:30", "2027-03-28T01:00:00+00:00"),
        ("2027-03-29T01:30", "2027-03-29T00:30:00+00:00"),
    ]


@pytest.mark.requirement("F11")
def test_a_repeated_hour_is_due_the_first_time_only():
    assert dues(datetime(2026, 10, 24, 12, tzinfo=UTC), "30 1 * * *", "Europe/London", 2) == [
        ("2026-10-25T01:30", "2026-10-25T00:30:00+00:00"),
        ("2026-10-26T01:30", "2026-10-26T01:30:00+00:00"),
    ]


@pytest.mark.requirement("F11")
@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Sydney"])
@pytest.mark.parametrize("schedule", ["30 1 * * *", "30 2 * * *"])
def test_every_local_date_of_five_years_is_due_exactly_once(zone, schedule):
    found = [
        due.local for due in islice(due_after(datetime(2026, 1, 1, tzinfo=UTC), schedule=schedule, zone=zone), 1826)
    ]
    assert len({local[:10] for local in found}) == len(found) == 1826


def test_asking_from_inside_the_repeated_hour_does_not_give_it_again():
    second_time = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert dues(second_time, "30 1 * * *", "Europe/London", 1)[0][0] == "2026-10-26T01:30"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("0 9 * * 4", "0 9 * * thu"), ("0 9 * * 1-5", "0 9 * * mon-fri"), ("0 9 * * 0,7", "0 9 * * sun,sun")],
)
def test_weekday_numbers_are_kept_as_names(given, kept):
    assert check_schedule(schedule=given, zone="UTC") == kept


@pytest.mark.parametrize(
    ("schedule", "zone", "words"),
    [
        ("0 9 * *", "UTC", "five fields"),
        ("61 9 * * thu", "UTC", "not a schedule"),
        ("0 9 31 2 *", "UTC", "not a schedule"),
        ("0 9 * * thu", "Europe/Londn", "not a time zone"),
    ],
)
def test_a_bad_schedule_says_what_is_wrong(schedule, zone, words):
    with pytest.raises(BadSchedule, match=words):
        check_schedule(schedule=schedule, zone=zone)


def test_a_due_time_given_by_hand_is_wall_clock_unless_it_has_an_offset():
    assert parse_due("2026-07-02T09:00", zone="Europe/London").at == datetime(2026, 7, 2, 8, tzinfo=UTC)
    assert parse_due("2026-07-02T09:00+00:00", zone="Europe/London").local == "2026-07-02T10:00"
    with pytest.raises(BadSchedule, match="not a date"):
        parse_due("Thursday", zone="UTC")


def test_the_schedule_is_described_in_words():
    assert describe(schedule="0 9 * * thu", zone="Europe/London", lead_hours=24) == (
        "Every Thursday 09:00 (Europe/London), assembled 24 hours before"
    )
    assert describe(schedule="0 10 1 * *", zone="Europe/Madrid", lead_hours=48) == (
        "Day 1 of every month, 10:00 (Europe/Madrid), assembled 48 hours before"
    )
