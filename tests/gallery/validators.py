"""Run external validators: the Nu validator, html-validate and SpamAssassin. Each is found, fetched, or unavailable."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any


class Unavailable(Exception):
    """A validator that cannot be used here. The message says what to install, or what it answered."""


def find_vnu(tools: Path) -> Path:
    """Return the Nu validator's jar, fetched into ``tools`` once."""
    return _find("vnu-jar@26", Path("vnu-jar/build/dist/vnu.jar"), tools=tools, needs=("java", "npm"))


def find_html_validate(tools: Path) -> Path:
    """Return the command of html-validate, fetched into ``tools`` once."""
    return _find("html-validate@10", Path(".bin/html-validate"), tools=tools, needs=("node", "npm"))


def validate_with_vnu(jar: Path, files: list[Path]) -> list[dict[str, Any]]:
    """Return its errors: ``url``, ``message`` and, mostly, ``lastLine``."""
    command = ["java", "-jar", str(jar), "--errors-only", "--format", "json", "--exit-zero-always"]
    said = _run([*command, *(str(file) for file in files)]).stderr
    try:
        messages: list[dict[str, Any]] = json.loads(said)["messages"]
    except (ValueError, KeyError) as error:
        raise Unavailable(f"the Nu validator did not answer: {_last_line(said)}") from error
    return messages


def validate_with_html_validate(command: Path, file: Path, *, config: Path, out: Path) -> list[dict[str, Any]]:
    """Return its errors: ``line`` and ``message``."""
    found = out / "html-validate.out.json"
    found.unlink(missing_ok=True)
    answer = _run([str(command), "-c", str(config), "-f", f"json={found}", str(file)])
    if not found.is_file():
        raise Unavailable(f"html-validate did not answer: {_last_line(answer.stderr or answer.stdout)}")
    reports: list[dict[str, Any]] = json.loads(found.read_text())
    return [message for report in reports for message in report["messages"]]


def score_spam(message: Path) -> tuple[float, str]:
    """Return the score of a message by SpamAssassin's local rules, and the rules that matched."""
    if not shutil.which("spamassassin"):
        raise Unavailable("it is not installed (Debian: apt install spamassassin)")
    with message.open("rb") as source:
        said = subprocess.run(["spamassassin", "-L", "-t"], stdin=source, capture_output=True, check=False)
    scored = re.search(rb"score=(-?[\d.]+)", said.stdout)
    if scored is None:
        raise Unavailable(f"it gave no score: {_last_line(said.stderr.decode(errors='replace'))}")
    tests = re.search(rb"tests=([\w,\s]+)", said.stdout)
    return float(scored[1]), tests[1].decode() if tests else ""


def _find(package: str, file: Path, *, tools: Path, needs: tuple[str, ...]) -> Path:
    for program in needs:
        if not shutil.which(program):
            raise Unavailable(f"{program} is not installed (Debian: apt install default-jre-headless npm)")
    found = tools.resolve() / "node_modules" / file
    if not found.exists():
        tools.mkdir(parents=True, exist_ok=True)
        fetched = _run(["npm", "install", "--no-fund", "--no-audit", "--prefix", str(tools.resolve()), package])
        if not found.exists():
            raise Unavailable(f"npm could not fetch {package}: {_last_line(fetched.stderr)}")
    return found


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
