"""The container files deny what the program does not need, and name settings and files that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "examples/container"
CONTAINERFILE = (FOLDER / "Containerfile").read_text(encoding="utf-8")
COMPOSE = ("compose.yaml", "compose.scale.yaml")


def services(name: str) -> dict[str, dict[str, Any]]:
    """Return the services of a compose file that run our image."""
    found = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))["services"]
    return {key: service for key, service in found.items() if service["image"] == "newsletter"}


def test_the_image_runs_as_nobody_in_particular_with_one_volume() -> None:
    last = CONTAINERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER \d+:\d+$", last, re.MULTILINE)
    assert re.findall(r"^VOLUME (.*)$", last, re.MULTILINE) == ["/data"]
    assert "/healthz" in last
    assert "STOPSIGNAL SIGTERM" in last
    assert CONTAINERFILE.count("\nFROM ") == 2


def test_everything_that_the_image_copies_exists() -> None:
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", CONTAINERFILE, re.MULTILINE):
        for name in line.split():
            assert (ROOT / name).exists(), name
            kept = (FOLDER / "Containerfile.dockerignore").read_text(encoding="utf-8")
            assert f"!{name.split('/')[0]}\n" in kept


@pytest.mark.parametrize("name", COMPOSE)
def test_every_service_of_ours_is_read_only_and_without_privileges(name: str) -> None:
    for service in services(name).values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["volumes"] == ["data:/data"]
        assert service["stop_grace_period"] == "40s"
        assert "ports" not in service, "only Caddy is reached from outside"


def test_the_larger_one_has_each_process_and_two_workers() -> None:
    commands = [service["command"][0] for service in services("compose.scale.yaml").values()]
    assert sorted(commands) == ["scheduler", "web", "worker", "worker"]


@pytest.mark.parametrize("name", COMPOSE)
def test_the_settings_of_the_compose_files_are_documented(name: str) -> None:
    documented = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    for service in services(name).values():
        for setting in service["environment"]:
            assert f"| `{setting}` |" in documented


@pytest.mark.parametrize("name", COMPOSE)
def test_the_sample_names_every_value_that_a_compose_file_asks_for(name: str) -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (FOLDER / name).read_text(encoding="utf-8")))
    given = set(re.findall(r"^([A-Z_]+)=", (FOLDER / "sample.env").read_text(encoding="utf-8"), re.MULTILINE))
    assert asked <= given


@pytest.mark.parametrize("name", COMPOSE)
def test_the_trusted_proxy_is_caddys_address(name: str) -> None:
    caddy = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))["services"]["caddy"]
    address = caddy["networks"]["inside"]["ipv4_address"]
    assert {service["environment"]["NEWSLETTER_TRUSTED_PROXIES"] for service in services(name).values()} == {address}
