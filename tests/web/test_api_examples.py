"""The examples of the API's reference: each is run, and its answer is the one on record, in OpenAPI and in the pages.

`NEWSLETTER_UPDATE_GOLDENS=1` records them again; then run `python -m scripts.api_reference`.
"""

import json
import os
import re
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection

from newsletter.api.calls.openapi import EXAMPLES_FILE, load_examples
from newsletter.api.urls import api
from scripts.api_reference import FOLDER, write_pages
from tests.support.api_examples import ERRORS, NOW, run_examples

_BLOCK_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOOPBACK_SITE = re.compile(r"http://127\.0\.0\.1:\d+(?=/notes)|\{site\}")
_ANY_ID = "0c9d5f1e-8a53-4a1b-9f0e-2f6b1c7d8e90"
RECORD_AGAIN = (
    "If that is wanted: NEWSLETTER_UPDATE_GOLDENS=1 pytest tests/web/test_api_examples.py, and then "
    "python -m scripts.api_reference"
)
UPDATE = os.environ.get("NEWSLETTER_UPDATE_GOLDENS") == "1"


def shorten(answer: Any) -> Any:
    """Return an answer without the rest of a whole mail, and with the same hash and ids of blocks in each run."""
    if not isinstance(answer, dict):
        return answer
    answer = json.loads(_LOOPBACK_SITE.sub("https://example.org", json.dumps(answer)))
    cut = {name: f"{text[:100]}…" for name, text in answer.items() if name in ("html", "text") and len(str(text)) > 100}
    made_up: dict[str, Any] = {"sha256": "57fa5fd8…"} if "sha256" in answer else {}
    if "maxnumber" in answer:
        made_up |= {"challenge": "7e5d0c…", "salt": "c1a9…?expires=1772708400", "signature": "f04b21…"}
    if "blocks" in answer:
        made_up["blocks"] = json.loads(_BLOCK_ID.sub(_ANY_ID, json.dumps(answer["blocks"])))
    return {**answer, **cut, **made_up}


def _read_answer(answer: Any) -> Any:
    """Return the document or the text of an answer, or None if it is empty."""
    if answer.streaming:
        return b"".join(answer).decode().replace("\r\n", "\n")
    return shorten(answer.json()) if answer.content else None


@pytest.fixture
def without_time_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each example end as it does on a quick machine: a person waits so long for a source or for a count."""
    for name in ("source_trial.TRIAL_SECONDS", "source_trial.READING_SECONDS", "find_sources.LOOK_SECONDS"):
        monkeypatch.setattr(f"newsletter.content.ingesting.{name}", 600.0)
    for name in ("_COUNT_MS", "_EXAMPLES_MS"):
        monkeypatch.setattr(f"subscribers.segments.count.{name}", 600_000)


def record_examples() -> dict[str, list[dict[str, Any]]]:
    """Return the examples with their answers, by method and path of the OpenAPI document."""
    recorded: dict[str, list[dict[str, Any]]] = {"errors": []}
    for example, used, answer in run_examples():
        is_error = example in ERRORS
        assert (answer.status_code >= 400) == is_error, (example.title, answer.content)
        method, path = example.operation.split()
        sends = json.dumps(shorten(example.body), ensure_ascii=False) if example.body is not None else example.lines
        row = {
            "title": example.title,
            "request": f"{method} {_BLOCK_ID.sub(_ANY_ID, used)}",
            "headers": {
                name.replace("_", "-").title(): value for name, value in example.headers.items() if name != "scope"
            },
            "sends": sends,
            **({"body": shorten(example.body)} if example.body is not None else {}),
            "status": answer.status_code,
            "answer": _read_answer(answer),
        }
        recorded.setdefault("errors" if is_error else f"{method} /api/v1/{path}", []).append(row)
    return recorded


@pytest.mark.long
@pytest.mark.django_db(transaction=True, reset_sequences=True)  # the answers on record hold ids
@time_machine.travel(NOW, tick=False)
def test_each_example_was_run_and_gets_the_answer_on_record(without_time_limits: None) -> None:
    cache.clear()
    recorded = json.loads(json.dumps(record_examples()))
    if UPDATE:
        EXAMPLES_FILE.write_text(json.dumps(recorded, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        load_examples.cache_clear()
    if connection.vendor == "sqlite":  # PostgreSQL does not give the same ids again
        changed = sorted(
            call for call in recorded.keys() | load_examples() if recorded.get(call) != load_examples().get(call)
        )
        assert changed == [], RECORD_AGAIN


def test_every_call_and_every_error_status_has_an_example() -> None:
    calls = {
        f"{method.upper()} {path}" for path, methods in api.get_openapi_schema()["paths"].items() for method in methods
    }
    examples = load_examples()
    without = sorted(calls ^ (examples.keys() - {"errors"}))
    assert without == [], f"Call it in `run_examples` of tests/support/api_examples.py. {RECORD_AGAIN}"
    assert {one["status"] for one in examples["errors"]} == {400, 401, 403, 404, 409, 412, 422}


def test_the_reference_pages_are_those_of_the_product() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()}
    assert written == write_pages(), "run: python -m scripts.api_reference"
