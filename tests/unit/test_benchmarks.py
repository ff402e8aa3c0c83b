"""The comparison with other tools: its provider, its ledger and its page."""

import sys
from pathlib import Path

import pytest
import requests

from benchmarks.load.__main__ import run_command
from benchmarks.measure import KillFigures, SpeedFigures
from benchmarks.page import Measured, write_page
from benchmarks.provider import list_recipients, serve_provider
from benchmarks.tools import base
from benchmarks.tools.newsletter import Newsletter

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_the_ledger_counts_each_person_of_a_call() -> None:
    with serve_provider(latency=0) as provider:
        fields = [("to", "Ana <ana@example.org>"), ("to", "ben@example.org"), ("subject", "to: eve@example.org")]
        for files in ([(name, (None, value)) for name, value in fields], None):
            requests.post(f"{provider.url}/v3/x/messages", files=files, data=None if files else fields, timeout=5)
    assert provider.ledger == {"ana@example.org": 2, "ben@example.org": 2}
    assert (provider.calls, provider.count_emails(), provider.count_people()) == (2, 4, 2)
    assert provider.count_mailed_again() == 2


def test_addresses_in_a_mail_are_no_recipients() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="html"\r\n\r\nname="to" eve@example.org\r\n--x--\r\n'
    assert list_recipients(body, "multipart/form-data; boundary=x") == []


def test_a_cleared_ledger_is_empty() -> None:
    with serve_provider(latency=0) as provider:
        provider.take(b"to=ana%40example.org", "application/x-www-form-urlencoded")
        provider.clear()
    assert (provider.count_emails(), provider.calls, provider.first_call_at) == (0, 0, None)


def test_the_page_shows_medians_and_each_kill() -> None:
    speeds = [SpeedFigures(100, 1, seconds, 0.5, 0.4) for seconds in (1.0, 2.0, 4.0)]
    kills = [KillFigures(50, 100, twice=0, missing=3, uncertain=3), KillFigures(90, 100, 1, 9, None)]
    measured = [Measured("ours", "1.0", "It goes on.", "in one call", speeds, kills)]
    page = write_page(measured, latency_ms=150, arguments=["--rounds", "3"])
    assert "| ours | 100 | 1 | 2.0 | 0.4 | 0.5 | 50 | 25–100 |" in page
    assert "| ours | 50 of 100 | 0 | 3 | 3 |" in page
    assert "| ours | 90 of 100 | 1 | 9 | cannot say |" in page
    assert "- ours: It goes on." in page
    assert page.index("## Not measured") > page.index("## Killed while it sends")
    assert "after 150 ms. Options: `--rounds 3`" in page


def test_the_page_says_why_a_tool_is_left_out() -> None:
    measured = [Measured("ours", "1.0", "It goes on.", "in one call", [SpeedFigures(100, 1, 1.0, 0.5, 0.4)], [])]
    page = write_page(measured, latency_ms=150, arguments=[], left_out={"ghost": "it is not installed."})
    assert "- ghost: it is not installed." in page[page.index("## Not measured") :]
    assert "Killed" not in page
    assert "It goes on." not in page


def test_a_preparation_that_does_not_end_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_PREPARE_SECONDS", 0.01)
    with pytest.raises(base.NotMeasured, match=r"did not end in 0\.01 seconds"):
        Newsletter(tmp_path, provider_url="http://127.0.0.1:1").run(SLEEP)


def test_a_command_of_the_load_that_does_not_end_is_not_measured() -> None:
    with pytest.raises(base.NotMeasured, match=r"did not end in 0\.01 seconds"):
        run_command(SLEEP, {}, seconds=0.01)
