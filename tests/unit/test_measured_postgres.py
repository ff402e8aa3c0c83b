"""The PostgreSQL on which figures are measured has the settings that the documents recommend."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.postgres import AS_RECOMMENDED, RECOMMENDED, find_binary

ROOT = Path(__file__).parents[2]
SHOW = """
import os, psycopg
with psycopg.connect(os.environ["NEWSLETTER_TEST_DATABASE_URL"]) as connection:
    print(*(connection.execute(f"SHOW {name}").fetchone()[0] for name in ("fsync", "full_page_writes", "max_wal_size")))
"""


@pytest.mark.parametrize(("name", "value"), RECOMMENDED.items())
def test_the_guide_names_each_recommended_setting(name: str, value: str) -> None:
    assert f"`{name} = {value}`" in (ROOT / "docs/how-to/scale-out.md").read_text()


@pytest.mark.parametrize("command", ["scripts.bench_on_postgres", "benchmarks.load"])
def test_every_figure_on_postgresql_uses_them(command: str) -> None:
    lines = [
        line
        for line in (ROOT / "Makefile").read_text().splitlines()
        if "postgres_if_installed" in line and command in line
    ]
    assert lines
    assert all(f"postgres_if_installed {AS_RECOMMENDED} $(BIN)" in line for line in lines)


@pytest.mark.skipif(not find_binary("initdb"), reason="PostgreSQL's binaries are not on this machine")
def test_a_measured_server_writes_durably() -> None:
    command = [sys.executable, "-m", "tests.support.postgres_if_installed", AS_RECOMMENDED, sys.executable, "-c", SHOW]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT).stdout
    assert shown.split() == ["on", "on", RECOMMENDED["max_wal_size"]]
