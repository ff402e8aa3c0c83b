"""`newsletter mcp` as an assistant starts it: a real process, asked by the protocol's own client over stdio."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from newsletter.assistant.offered_calls import OFFERED_CALLS
from newsletter.organisation.sample_files import read_sample

pytestmark = pytest.mark.long

anyio = pytest.importorskip("anyio")
mcp = pytest.importorskip("mcp")
COMMAND = str(Path(sys.executable).with_name("newsletter"))
SECONDS = 120


@pytest.fixture
def site(tmp_path: Path, migrated_sqlite: Path) -> dict[str, str]:
    """The environment of an installation with the sample's publications."""
    shutil.copy(migrated_sqlite, tmp_path / "newsletter.sqlite3")
    (tmp_path / "organisation.toml").write_text(read_sample("sample.toml"))
    env = {**os.environ, "NEWSLETTER_DATA_DIR": str(tmp_path)}
    for name in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "NEWSLETTER_ENV_FILE"):
        env.pop(name, None)
    run(env, "apply", str(tmp_path / "organisation.toml"))
    return env


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    folder = env["NEWSLETTER_DATA_DIR"]
    return subprocess.run(
        [COMMAND, *arguments], env=env, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def make_key(env: dict[str, str], *scopes: str) -> str:
    given = [word for scope in scopes for word in ("--scope", scope)]
    return next(
        word for word in run(env, "api-key", "add", "Assistant", *given).stdout.split() if word.startswith("nl_")
    )


async def draft(env: dict[str, str]) -> dict[str, Any]:
    from mcp.client.stdio import StdioServerParameters, stdio_client

    server = StdioServerParameters(command=COMMAND, args=["mcp"], env=env, cwd=env["NEWSLETTER_DATA_DIR"])
    found: dict[str, Any] = {}
    with anyio.fail_after(SECONDS):
        async with mcp.Client(stdio_client(server)) as client:
            found["instructions"] = client.instructions
            found["tools"] = (await client.list_tools()).tools
            story = {"title": "A night at the clinic", "text": "Forty visitors came.", "language": "en"}
            found["story"] = await client.call_tool("add_story", story)
            found["stories"] = await client.call_tool("list_stories", {"limit": 1})
            found["people"] = await client.call_tool("list_people", {})
            found["send"] = await client.call_tool("read_send", {"send": 1})
    return found


@pytest.mark.requirement("G5")
def test_an_assistant_reads_and_drafts_over_stdio(site: dict[str, str]) -> None:
    key = make_key(site, "content:read", "content:write", "issues:read", "issues:write")
    found = anyio.run(draft, {**site, "NEWSLETTER_API_KEY": key})
    assert {tool.name for tool in found["tools"]} == set(OFFERED_CALLS)
    assert "You propose" in found["instructions"]
    assert not found["story"].is_error, found["story"].content
    assert found["stories"].structured_content["answer"]["items"][0]["title"] == "A night at the clinic"
    assert found["people"].is_error
    assert found["send"].is_error
    assert found["send"].structured_content["answer"]["code"] == "scope_too_small"


@pytest.mark.parametrize(("key", "why"), [("", "is not set"), ("nl_wrong", "is not valid")])
def test_the_command_ends_without_a_valid_key(site: dict[str, str], key: str, why: str) -> None:
    done = run({**site, "NEWSLETTER_API_KEY": key}, "mcp")
    assert done.returncode == 1
    assert why in done.stderr
    assert done.stdout == ""
