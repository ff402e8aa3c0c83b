"""Schemathesis calls each path of a running product with what its OpenAPI document allows and forbids."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.web_server import serve

# Calls that a document cannot describe are refused with a reason, such as a topic that does not exist; and guessed keys
# are counted and then answered 429. A number is also read as a date. `tests/web/test_api_calls.py` holds the scopes.
# An address of a source is read at once, so those two calls would reach other machines.
EXCLUDED = "positive_data_acceptance,negative_data_rejection,ignored_auth"
# Its files of lines are no JSON, which the tool cannot write.
UPLOADS = ("--exclude-path", "/api/v1/people/bulk", "--exclude-name", "POST /api/v1/imports")
READING_ELSEWHERE = (
    *("--exclude-name", "POST /api/v1/sources"),
    *("--exclude-name", "PATCH /api/v1/sources/{source}"),
)


@pytest.mark.requirement("G5")
def test_no_call_fails_and_every_answer_is_as_documented(tmp_path: Path, migrated_sqlite: Path) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    with serve(folder, migrated=migrated_sqlite) as server:
        command = [
            *(str(Path(sys.executable).with_name("st")), "run", f"http://127.0.0.1:{server.port}/api/v1/openapi.json"),
            *("--header", f"Authorization: Bearer {server.known['every_scope']}"),
            *("--phases", "coverage,fuzzing", "--max-examples", "20", "--exclude-checks", EXCLUDED),
            *(*UPLOADS, *READING_ELSEWHERE, "--generation-deterministic", "--no-color"),
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout
