"""The commands that the guides show are run as written, in order, against a served newsletter."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.wordpress_plugin import Newsletter

ROOT = Path(__file__).parents[2]
NOT_RUN = ("pip install", "/exports/1/file")
"""They change this environment, or wait for a second person between two of their lines."""
OTHERS = {"https://crm.example.org": "{site}"}
"""Systems of the reader's own, which have to be on this machine here."""
CURL = "fail-with-body\nsilent\nshow-error\nmax-time = 60\n"
SCOPES = ("people", "read", "gifts", "issues:write")
GUIDES = ("reference/api.md", "reference/webhooks.md", "how-to/use-with-an-assistant.md")
_BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def list_commands(text: str) -> list[str]:
    """Return the shell blocks of a guide, without those that are no command for the newsletter."""
    blocks = [block for _, block in _BLOCK.findall(text)]
    return [block for block in blocks if not any(word in block for word in NOT_RUN)]


@pytest.fixture(scope="module")
def shell(newsletter: Newsletter, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a reader: the program, the address, a key, and a curl that fails on an error answer."""
    home = tmp_path_factory.mktemp("home")
    (home / ".curlrc").write_text(CURL)
    organisation = newsletter.organisation
    options = [option for scope in SCOPES for option in ("--scope", scope)]
    key = re.search(r"nl_[\w-]{43}", organisation.run("api-key", "add", "The guide", *options))
    assert key
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**organisation.install.env, "HOME": str(home), "PATH": programs, "SITE": newsletter.address, "KEY": key[0]}
    env["NEWSLETTER_FETCH_ALLOW"] = "127.0.0.1"
    draft = """curl $SITE/api/v1/issues -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \
        -d '{"publication": "weekly", "beginning": "empty"}'"""
    assert run(draft, env).returncode == 0  # the guide reads the latest issue
    return env


def run(command: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=env["HOME"],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("guide", GUIDES)
def test_each_command_of_a_guide_works_as_it_is_written(guide: str, shell: dict[str, str]) -> None:
    commands = list_commands((ROOT / "docs" / guide).read_text(encoding="utf-8"))
    assert commands
    for command in commands:
        for name, replacement in OTHERS.items():
            command = command.replace(name, replacement.format(site=shell["SITE"]))
        done = run(command, shell)
        assert done.returncode == 0, f"{command}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"


def test_a_command_that_does_not_work_is_noticed(shell: dict[str, str]) -> None:
    wrong = "```sh\ncurl $SITE/api/v1/lists\n```\n```sh\nnewsletter api-kex list\n```\n```sh\npip install x\n```\n"
    assert [run(command, shell).returncode != 0 for command in list_commands(wrong)] == [True, True]
