"""The blocks of the guides are run as they are written, in order: commands, settings, files and suites."""

import json
import re
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import mcp
import pytest
from mcp.client.stdio import StdioServerParameters, stdio_client

from newsletter.assistant.offered_calls import OFFERED_CALLS
from tests.integration.guides import list_blocks, list_guides, read_guide, to_run
from tests.integration.organisation import Organisation
from tests.integration.readers import at_home, run, succeed
from tests.integration.servers import run_server
from tests.integration.tools import find_node_modules, skip_without
from tests.integration.wordpress_plugin import Newsletter
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "plugin"
CURL = "fail-with-body\nsilent\nshow-error\nmax-time = 60\nretry = 30\nretry-delay = 1\nretry-all-errors\n"
"""Repeats what fails, as a reader does who waits until an import is checked."""
SCOPES = ("people", "people:write", "read", "gifts", "issues:write")
PEOPLE = "Mail,city,country\nguest@example.org,Leeds,GB\n"
SECRET = "a secret of the test"
CONNECT, SIGN_IN = "how-to/connect-a-source.md", "how-to/sign-in-with-your-provider.md"
EXTENSION, ASSISTANT = "how-to/write-an-extension.md", "how-to/use-with-an-assistant.md"
COMMANDS = ("reference/api.md", "reference/webhooks.md", ASSISTANT)
RUN = {
    **{guide: set[str]() for guide in list_guides("tutorial", "how-to")},
    "reference/api.md": {"sh"},
    "reference/webhooks.md": {"sh"},
    "tutorial/first-issue.md": {"sh"},
    "how-to/move-a-list.md": {"sh"},
    "how-to/back-up-and-restore.md": {"sh"},
    "how-to/put-a-web-server-in-front.md": {"ini"},
    "how-to/test-with-a-copy.md": {"ini"},
    CONNECT: {"toml", "sh"},
    SIGN_IN: {"ini", "sh"},
    EXTENSION: {"toml", "python", "sh"},
    ASSISTANT: {"sh", "json"},
}
"""The tutorial, the how-to guides and two pages of reference, and the kinds of their blocks that a test runs, here or in
`test_guide_commands.py`."""
ANSWERS = {"json", "http", "text"}
"""Where no test runs them, they show what the program answers or sends."""


@pytest.fixture(scope="module")
def shell(newsletter: Newsletter, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a reader: the program, the address, a key, and a curl that fails on an error answer."""
    home = tmp_path_factory.mktemp("home")
    (home / ".curlrc").write_text(CURL)
    (home / "people.csv").write_text(PEOPLE)
    env = at_home(newsletter.organisation, home=home, programs=programs)
    env |= {"SITE": newsletter.address, "KEY": make_key(newsletter.organisation, f"The guide in {home.name}", *SCOPES)}
    draft = """curl $SITE/api/v1/issues -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \
        -d '{"publication": "weekly", "beginning": "empty"}'"""
    assert run(draft, env).returncode == 0  # the guide reads the latest issue
    return env


def make_key(organisation: Organisation, name: str, *scopes: str) -> str:
    options = [option for scope in scopes for option in ("--scope", scope)]
    found = re.search(r"nl_[\w-]{43}", organisation.run("api-key", "add", name, *options))
    assert found
    return found[0]


@pytest.mark.parametrize("guide", RUN)
def test_each_block_of_a_guide_is_run_or_says_why_not(guide: str) -> None:
    left_out = ANSWERS - RUN[guide]
    blocks = [block for block in read_guide(guide) if block.language not in left_out]
    assert {block.language for block in blocks if not block.why_not} == RUN[guide]


@pytest.mark.parametrize("guide", COMMANDS)
def test_each_command_of_a_guide_works_as_it_is_written(
    guide: str, shell: dict[str, str], newsletter: Newsletter
) -> None:
    commands = to_run(guide, "sh")
    assert commands
    ((imports,),) = newsletter.organisation.install.query("SELECT COALESCE(MAX(id), 0) FROM subscribers_importbatch")
    for command in commands:
        # The guide's imports are the first two of its reader. Other tests imported here before.
        text = re.sub(
            r"(?<=imports/)\d", lambda found: str(imports + int(found[0])), command.fill_in(site=shell["SITE"])
        )
        succeed(text, shell)


def test_a_command_that_does_not_work_is_noticed(shell: dict[str, str]) -> None:
    for wrong in ("curl $SITE/api/v1/lists", "newsletter api-kex list", "pip install no-such-package"):
        assert run(wrong, shell).returncode != 0


def test_a_source_with_a_key_is_applied_from_the_file(organisation: Organisation, reader: dict[str, str]) -> None:
    (source,), (command,) = to_run(CONNECT, "toml"), to_run(CONNECT, "sh")
    with organisation.file.open("a") as file:
        file.write(f"\n{source.text}")
    (variable,) = {entry["key_variable"] for entry in tomllib.loads(source.text)["source"]}
    (Path(reader["HOME"]) / ".env").write_text(f'{variable}="{SECRET}"\n')
    succeed(command.text, reader, folder=_beside(organisation, reader))
    ((sealed,),) = organisation.install.query("SELECT sealed_key FROM newsletter_source WHERE name = 'Talks'")
    assert sealed
    assert SECRET not in str(sealed)


def _beside(organisation: Organisation, reader: dict[str, str]) -> Path:
    """Return the reader's folder, with the organisation's file in it."""
    home = Path(reader["HOME"])
    (home / organisation.file.name).write_bytes(organisation.file.read_bytes())
    return home


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[str]:
    """Run a certified provider that knows the client of the guide."""
    skip_without("oidc-provider")
    port = free_port()
    env = {
        "CLIENT_ID": "newsletter",
        "CLIENT_SECRET": SECRET,
        "PORT": str(port),
        "AUTH_METHOD": "client_secret_basic",
        "REDIRECT_URI": "http://127.0.0.1:8000/accounts/oidc/callback/",
        "OIDC_PROVIDER": str(find_node_modules() / "oidc-provider" / "lib" / "index.js"),
    }
    script = str(Path(__file__).with_name("oidc_provider.mjs"))
    with run_server(["node", script], port=port, log=tmp_path / "provider.log", env=env):
        yield f"http://127.0.0.1:{port}"


def test_the_settings_for_any_provider_connect_to_one(reader: dict[str, str], issuer: str) -> None:
    *_, connection, roles = to_run(SIGN_IN, "ini")
    (command,) = to_run(SIGN_IN, "sh")
    settings = connection.fill_in(issuer=issuer, secret=f'"{SECRET}"') + roles.text
    (Path(reader["HOME"]) / ".env").write_text(settings)
    said = " ".join(run(command.text, reader).stdout.split())  # it names what else this machine lacks
    assert "Example ID answers." in said


@pytest.mark.parametrize("number", [0, 1], ids=["google", "microsoft"])
def test_the_settings_for_a_large_provider_are_accepted(reader: dict[str, str], number: int) -> None:
    """Only this machine is contacted, so nobody signs in there."""
    settings = to_run(SIGN_IN, "ini")[number].fill_in(secret="secret")
    (Path(reader["HOME"]) / ".env").write_text(settings)
    succeed("newsletter api-key list", reader)


def test_the_example_of_an_extension_keeps_its_contract(reader: dict[str, str], tmp_path: Path) -> None:
    """The steps of the guide in a copy of the example."""
    (declared,), (suite,) = to_run(EXTENSION, "toml"), to_run(EXTENSION, "python")
    checkout = tmp_path / "checkout"
    (checkout / "examples").mkdir(parents=True)
    succeed(f"cp -r {EXAMPLE} examples/plugin", reader, folder=checkout)
    copy, install, test = (block.fill_in() for block in to_run(EXTENSION, "sh"))
    succeed(copy, reader, folder=checkout)
    (made,) = (folder for folder in checkout.iterdir() if folder.name != "examples")
    wanted = tomllib.loads(declared.text)["project"]["entry-points"]
    there = tomllib.loads((made / "pyproject.toml").read_text())["project"]["entry-points"]
    assert wanted.items() <= there.items()
    succeed(install, reader, folder=checkout)
    (made / "tests" / "test_contracts.py").write_text(suite.text)
    assert " passed" in succeed(test, reader, folder=checkout)


def test_the_readme_of_the_example_runs_as_written(reader: dict[str, str], tmp_path: Path) -> None:
    (block,) = list_blocks((EXAMPLE / "README.md").read_text(encoding="utf-8"))
    succeed(f"cp -r {EXAMPLE} plugin", reader, folder=tmp_path)
    assert " passed" in succeed(block.text, reader, folder=tmp_path / "plugin")


def test_an_assistant_starts_the_command_of_the_guide(shell: dict[str, str], newsletter: Newsletter) -> None:
    (setup,) = to_run(ASSISTANT, "json")
    server = json.loads(setup.text)["mcpServers"]["newsletter"]
    key = make_key(newsletter.organisation, "Over SSH", "content:read", "issues:read")
    (Path(shell["HOME"]) / ".env").write_text(f"NEWSLETTER_API_KEY={key}\n")

    async def ask() -> Any:
        given = StdioServerParameters(command=server["command"], args=server["args"], env=shell, cwd=shell["HOME"])
        with anyio.fail_after(120):
            async with mcp.Client(stdio_client(given)) as client:
                tools = {tool.name for tool in (await client.list_tools()).tools}
                return tools, await client.call_tool("list_issues", {})

    with ThreadPoolExecutor(1) as elsewhere:  # a browser of another test may have its loop in this thread
        tools, issues = elsewhere.submit(anyio.run, ask).result()
    assert tools == set(OFFERED_CALLS)
    assert not issues.is_error, issues.content
