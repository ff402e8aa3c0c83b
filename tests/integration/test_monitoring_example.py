"""`examples/monitoring` with a real Prometheus that reads a real `newsletter web`."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.tools import skip_without
from tests.support.ports import free_port
from tests.support.processes import wait_until
from tests.support.web_server import serve

EXAMPLE = Path(__file__).parents[2] / "examples/monitoring"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[str]:
    """The address of a Prometheus with the example's rules, which reads a web process of ours."""
    skip_without("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copy(EXAMPLE / "alarms.yml", folder)
    site = tmp_path_factory.mktemp("site")
    with serve(site, migrated=migrated_sqlite) as web:
        config = yaml.safe_load((EXAMPLE / "prometheus.yml").read_text(encoding="utf-8"))
        config["global"]["scrape_interval"] = "1s"
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{web.port}"]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        port = free_port()
        command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=subprocess.STDOUT
            )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: query(address, "newsletter_database_up == 1"), seconds=90, every=1, what="a scrape")
            yield address
        finally:
            process.terminate()
            process.wait(30)


def query(prometheus: str, expression: str) -> list[Any]:
    """Return the series of an expression, or nothing while Prometheus starts."""
    try:
        asked = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        with urllib.request.urlopen(asked, timeout=10) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{expression}: {error.read().decode()}") from error
    except OSError:
        return []
    return found


def dashboard_expressions() -> list[str]:
    panels = json.loads((EXAMPLE / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize(
    "command",
    [["check", "rules", "alarms.yml"], ["test", "rules", "alarms.test.yml"], ["check", "config", "prometheus.yml"]],
    ids=" ".join,
)
def test_promtool_accepts_the_example(command: list[str]) -> None:
    skip_without("promtool")
    done = subprocess.run(["promtool", *command], cwd=EXAMPLE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_expression_of_the_dashboard_is_understood(prometheus: str) -> None:
    for expression in dashboard_expressions():
        query(prometheus, expression)
    assert query(prometheus, "max(newsletter_sources)")
    assert query(prometheus, 'max(newsletter_processes{role="worker"})')[0]["value"][1] == "0"


def test_a_missing_worker_becomes_an_alarm(prometheus: str) -> None:
    def pending() -> bool:
        with urllib.request.urlopen(f"{prometheus}/api/v1/alerts", timeout=10) as answer:
            alarms = json.load(answer)["data"]["alerts"]
        return {"NewsletterProcessMissing"} <= {alarm["labels"]["alertname"] for alarm in alarms}

    wait_until(pending, seconds=150, every=1, what="the alarm")
