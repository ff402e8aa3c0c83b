"""`newsletter bench` opens every page of the desk, and times starts, in a database and folders of its own."""

import os
import subprocess
import sys
from pathlib import Path

import orjson

from newsletter.bench.serving.memory import measure_memory

HANGING_SECONDS = 1_800
"""It took more than 10 minutes beside other work that filled the processors."""


def test_bench_prints_the_time_of_pages_and_starts(tmp_path: Path) -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "newsletter.project.cli",
            "bench",
            "--only",
            "pages,start",
            "--recipients",
            "5000",
            "--json",
        ],
        env={
            **os.environ,
            "NEWSLETTER_DATA_DIR": str(tmp_path),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite3'}",
        },
        capture_output=True,
        check=True,
        timeout=HANGING_SECONDS,
    )
    report = orjson.loads(run.stdout)
    pages, start = report["pages"], report["start"]
    assert pages["people"] == 5000
    assert pages["desk_pages"] > 100
    assert len(pages["slowest"]) == 10
    assert min(pages["home_ms"]) > 0
    assert pages["home_processor_ms"] > 0
    assert min(pages["most_queries"].values()) > 10
    assert set(start["milliseconds"]) == {"--help", "status", "doctor --quick", "staff list"}
    assert set(start["processor_milliseconds"]) == set(start["milliseconds"])
    assert start["first_page_seconds"] > 0
    assert start["first_call_seconds"] > 0
    assert start["send_processor_seconds"] > 0
    assert not (tmp_path / "none.sqlite3").exists()


def test_bench_prints_the_memory_of_serve_after_ten_pages() -> None:
    figures = measure_memory(first_runs_seconds=0, idle_seconds=1)
    assert figures.pages == 10
    assert 50 < figures.after_start_mb < 600
    assert 50 < figures.after_pages_mb < 600
    assert figures.idle_percent >= 0
