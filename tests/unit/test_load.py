"""The load test: what it reads, what it prints, and when it ends with an error."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.load.__main__ import read_server_memory
from benchmarks.load.figures import (
    ONE_CLICK,
    LoadFigures,
    MemoryFigures,
    Moment,
    PageFigures,
    SendFigures,
    read_moments,
    read_pages,
    write_figures,
)
from benchmarks.tools.base import NotMeasured

TABLE = """Type,Name,Request Count,Failure Count,Median Response Time,50%,99%,100%
GET,/news/,100,0,12,12,40,55
GET,home,20,1,180,180,1200,1300
,Aggregated,120,1,20,20,900,1300
"""
ANSWERS = """100.5,40,home,0
101.0,12,/news/,0
129.9,900,home,1
130.5,50,/news/,0
"""
SENT = SendFigures(
    state="submitted",
    recipients=10,
    deliveries={"accepted": 9, "skipped": 1, "rejected": 0, "uncertain": 0, "pending": 0},
    mailed=9,
    mailed_again=0,
)
UNSUBSCRIBES = PageFigures(ONE_CLICK, 1, 0, 12, 40, 55)
LEFT_OUT = {"404": ["a_template"], "405": ["a_form", "another_form"]}
MEMORY = MemoryFigures(before=100.0, during={0.1: 150.0, 5.2: 155.0, 10.3: 160.0}, processes=[120.0, 50.0])


def make_figures(pages: list[PageFigures], *, send: SendFigures = SENT, visitors_failed: bool = False) -> LoadFigures:
    return LoadFigures(
        "SQLite", pages, [Moment(0, 60, 1, 20, 900, "home", 1300)], LEFT_OUT, visitors_failed, send, MEMORY
    )


def change_deliveries(**people: int) -> SendFigures:
    return replace(SENT, deliveries={**SENT.deliveries, **people})


def test_pages_are_read_slowest_first_without_the_sum(tmp_path: Path) -> None:
    (tmp_path / "load_stats.csv").write_text(TABLE)
    home, news = read_pages(tmp_path / "load_stats.csv")
    assert home == PageFigures("home", 20, 1, 180, 1200, 1300)
    assert (news.name, news.p99_ms) == ("/news/", 40)


def test_the_report_names_errors_slow_pages_the_send_and_the_memory() -> None:
    pages = [PageFigures("home", 20, 1, 180, 1200, 1300), PageFigures("/news/", 100, 0, 12, 40, 55)]
    text = write_figures(make_figures(pages), arguments=["--minutes", "2"])
    assert "`python -m benchmarks.load --minutes 2` on SQLite" in text
    assert "120 requests for 2 pages, 1 errors; 1 pages took more than 1,000 ms" in text
    assert "3 routes of the desk were left out" in text
    assert "further input: 404 a_template; 405 a_form, another_form." in text
    assert "| home | 20 | 1 | 180 | 1200 | 1300 |" in text
    assert "9 accepted, 1 skipped, 0 rejected, 0 uncertain, 0 pending. The provider mailed 9 people" in text
    assert "0 of them more than once." in text
    assert "| 0 | 60 | 1 | 20 | 900 | 1300 | home | 150.0 |" in text
    assert "100.0 before the load, 150.0 after a fifth of it, 170.0 at the end, 170.0 at most" in text
    assert "Each process at the end: 120.0, 50.0." in text


def test_a_report_without_a_table_of_pages_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="Locust wrote no table"):
        read_pages(tmp_path / "load_stats.csv")


def test_the_answers_are_counted_for_each_half_a_minute(tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text(ANSWERS)
    assert read_moments(tmp_path / "answers.csv") == [
        Moment(0, 3, 1, 40, 900, "home", 900),
        Moment(30, 1, 0, 50, 50, "/news/", 50),
    ]
    (tmp_path / "answers.csv").write_text("")
    with pytest.raises(NotMeasured, match="no answer"):
        read_moments(tmp_path / "answers.csv")


@pytest.mark.parametrize(
    ("errors", "send", "visitors_failed", "failed"),
    [
        (0, SENT, False, False),
        (1, SENT, False, True),
        (0, SENT, True, True),
        (0, replace(SENT, state="submitting"), False, True),
        (0, replace(SENT, mailed=8), False, True),
        (0, replace(SENT, mailed_again=1), False, True),
        (0, replace(SENT, recipients=11), False, True),
        (0, change_deliveries(uncertain=1), False, True),
        (0, change_deliveries(rejected=1), False, True),
        (0, change_deliveries(skipped=0, rejected=1), False, True),
        (0, change_deliveries(skipped=0, pending=1), False, True),
        (0, replace(change_deliveries(accepted=8, skipped=2), mailed=8), False, True),
    ],
)
def test_an_error_of_a_page_or_of_the_send_is_an_error(
    errors: int, send: SendFigures, visitors_failed: bool, failed: bool
) -> None:
    page = PageFigures("home", 20, errors, 180, 900, 1300)
    assert make_figures([page, UNSUBSCRIBES], send=send, visitors_failed=visitors_failed).has_errors is failed


def test_the_largest_memory_may_be_that_at_the_end_of_the_send() -> None:
    assert (MEMORY.early, MEMORY.largest) == (150.0, 170.0)


def test_the_memory_of_a_server_is_read_until_it_has_ended() -> None:
    assert all(0 < megabytes < 10_000 for megabytes in read_server_memory(os.getpid()))
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    with pytest.raises(NotMeasured, match="server ended"):
        read_server_memory(ended.pid)
