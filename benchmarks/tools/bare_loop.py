"""A loop that posts one email after another and records nothing: the least that a sender can do."""

import sys
from pathlib import Path

from benchmarks.tools.base import Tool, plain_environment

_LOOP = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import local
import requests
url, people, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
html = "<p>" + "A sentence about what happened, and another that says what it means. " * 500 + "</p>"
kept = local()
def post(number):
    session = kept.__dict__.setdefault("session", requests.Session())
    fields = {"from": "news@news.example.org", "to": f"person{number}@example.org", "subject": "News", "html": html}
    session.post(f"{url}/v3/news.example.org/messages", files=[(name, (None, text)) for name, text in fields.items()],
                 auth=("api", "bench"), timeout=60).raise_for_status()
with ThreadPoolExecutor(threads) as pool:
    list(pool.map(post, range(people)))
"""
THREADS = 8


class BareLoop(Tool):
    name = "bare loop"
    description = "a script with `requests`: the same text for everybody, one person a call, 8 calls at once, no record"
    keeps_records = False

    def __init__(self, folder: Path, *, provider_url: str) -> None:
        super().__init__(folder, provider_url=provider_url)
        self._people = 0

    def version(self) -> str:
        import requests

        return f"requests {requests.__version__}"

    def prepare(self, people: int) -> None:
        self._people = people

    def send_command(self) -> list[str]:
        return [sys.executable, "-c", _LOOP, self.provider_url, str(self._people), str(THREADS)]

    def environment(self) -> dict[str, str]:
        return plain_environment()
