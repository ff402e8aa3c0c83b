"""`examples/container`, as hadolint, Compose and Caddy read it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.tools import find_tool, skip_without

FOLDER = Path(__file__).parents[2] / "examples/container"
VALUES = {
    "HOST": "letter.example.org",
    "NEWSLETTER_SECRET_KEY": "x",
    "NEWSLETTER_ADDRESS_KEY": "x",
    "POSTGRES_PASSWORD": "x",
    "UPSTREAMS": "web:8000",
}


def run(*command: str, **environment: str) -> None:
    done = subprocess.run(
        command,
        cwd=FOLDER,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_hadolint_finds_nothing() -> None:
    skip_without("hadolint")
    run(str(find_tool("hadolint")), "Containerfile")


@pytest.mark.parametrize("name", ["compose.yaml", "compose.scale.yaml"])
def test_compose_reads_both_files(name: str) -> None:
    skip_without("docker-compose")
    run("docker-compose", "-f", name, "config", "-q", **VALUES)


def test_caddy_reads_its_file() -> None:
    skip_without("caddy")
    run("caddy", "validate", "--config", "Caddyfile", "--adapter", "caddyfile", **VALUES)
