"""The load test: what it reads, what it prints, and when it ends with an error."""

import os
from pathlib import Path

import pytest

from benchmarks.load.figures import LoadFigures, PageFigures, SendFigures, read_pages, write_figures
from benchmarks.load.memory import read_memory_mb

TABLE = """Type,Name,Request Count,Failure Count,Median Response Time,50%,99%,100%
GET,/news/,100,0,12,12,40,55
GET,home,20,1,180,180,1200,1300
,Aggregated,120,1,20,20,900,1300
"""
SENT = SendFigures(
    state="submitted",
    recipients=10,
    deliveries={"accepted": 9, "skipped": 1, "uncertain": 0},
    mailed=9,
    mailed_again=0,
)


def make_figures(pages: list[PageFigures], *, send: SendFigures = SENT, visitors_failed: bool = False) -> LoadFigures:
    return LoadFigures("SQLite", pages, visitors_failed, send, (100.0, 150.0, 160.0, 170.0))


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
    assert "| home | 20 | 1 | 180 | 1200 | 1300 |" in text
    assert "9 accepted, 1 skipped, 0 uncertain. The provider mailed 9 people, 0 of them more than once." in text
    assert "100.0 before the load, 150.0 after a fifth of it, 160.0 at the end, 170.0 at most" in text


@pytest.mark.parametrize(
    ("errors", "send", "visitors_failed", "failed"),
    [
        (0, SENT, False, False),
        (1, SENT, False, True),
        (0, SENT, True, True),
        (0, SendFigures("submitting", 10, SENT.deliveries, 9, 0), False, True),
        (0, SendFigures("submitted", 10, SENT.deliveries, 8, 0), False, True),
        (0, SendFigures("submitted", 10, SENT.deliveries, 9, 1), False, True),
        (0, SendFigures("submitted", 10, {**SENT.deliveries, "uncertain": 1}, 9, 0), False, True),
    ],
)
def test_an_error_of_a_page_or_of_the_send_is_an_error(
    errors: int, send: SendFigures, visitors_failed: bool, failed: bool
) -> None:
    page = PageFigures("home", 20, errors, 180, 900, 1300)
    assert make_figures([page], send=send, visitors_failed=visitors_failed).has_errors is failed


def test_the_memory_of_a_process_is_read_in_megabytes() -> None:
    assert 1 < read_memory_mb(os.getpid()) < 10_000
