"""The visitors, as Locust runs them. The environment names the file with their visits: LOAD_VISITS, LOAD_READERS, LOAD_START.

Each answer becomes a line of the file LOAD_ANSWERS.
"""

import csv
import json
import os
import random
import time
from itertools import count
from pathlib import Path

from locust import HttpUser, between, events, task

from benchmarks.load.figures import ONE_CLICK

VISITS = json.loads(Path(os.environ["LOAD_VISITS"]).read_bytes())
START_SECONDS = float(os.environ["LOAD_START"])
ANSWERS = Path(os.environ["LOAD_ANSWERS"])
_sessions = iter(VISITS["sessions"])
_links = iter(VISITS["links"])
_addresses = count(1)
_DESK, _PUBLIC = list(VISITS["desk"].items()), list(VISITS["public"].items())


@events.request.add_listener
def write_answer(start_time: float, response_time: float, name: str, exception: Exception | None, **_: object) -> None:
    with ANSWERS.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([start_time, response_time, name, int(exception is not None)])


class Visitor(HttpUser):
    """Somebody with a browser and an address of their own, behind the reverse proxy.

    Each opens a first page some time after the start, so that as many pages a second are opened then as later.
    """

    abstract = True
    longest_wait: float

    def on_start(self) -> None:
        time.sleep(random.uniform(0, self.longest_wait))  # noqa: S311
        self.client.headers["X-Forwarded-For"] = f"2001:db8:{next(_addresses):x}::1"

    def open(self, name: str, url: str) -> None:
        self._expect(200, "GET", url, name=name)

    def post(self, name: str, url: str, form: dict[str, str], *, leads_to: str = "") -> None:
        """Send a form. It fails unless the answer is a page, or a redirect to the address that it ``leads_to``."""
        self._expect(302 if leads_to else 200, "POST", url, name=name, data=form, leads_to=leads_to)

    def _expect(
        self, status: int, method: str, url: str, *, name: str, data: dict[str, str] | None = None, leads_to: str = ""
    ) -> None:
        options = {"name": name, "data": data, "allow_redirects": False, "catch_response": True}
        with self.client.request(method, url, **options) as answer:
            location = answer.headers.get("Location", "")
            if (answer.status_code, location) != (status, leads_to):
                answer.failure(f"answered with {answer.status_code} {location}".strip())


class Staff(Visitor):
    """Opens a page of the desk every ten seconds, Home most often."""

    fixed_count = len(VISITS["sessions"]) - 1
    wait_time = between(5, 15)
    longest_wait = 10

    def on_start(self) -> None:
        super().on_start()
        self.client.cookies.set(VISITS["cookie"], next(_sessions))

    @task(4)
    def look_around(self) -> None:
        self.open(*random.choice(_DESK))  # noqa: S311

    @task
    def go_home(self) -> None:
        self.open("wagtailadmin_home", VISITS["desk"]["wagtailadmin_home"])


class Sender(Staff):
    """Sends the approved issue after a while, and then watches its page."""

    fixed_count = 1
    longest_wait = 0
    tasks = []

    def on_start(self) -> None:
        super().on_start()
        time.sleep(START_SECONDS)
        issue = f"/admin/issues/{VISITS['issue']}/"
        self.open("the question before the send", f"{issue}send/start/sure/")
        form = {"csrfmiddlewaretoken": self.client.cookies["csrftoken"], "people": VISITS["people"]}
        self.post("Send now", f"{issue}send/start/", form, leads_to=f"{issue}overview/")

    @task
    def watch(self) -> None:
        self.open("overview during the send", f"/admin/issues/{VISITS['issue']}/overview/")

    @task(4)
    def wait(self) -> None:
        self.open("progress of the send", f"/admin/issues/{VISITS['issue']}/send/progress/")


class Reader(Visitor):
    """Opens a public page every half a minute. One visit in twenty is a click on “unsubscribe” in the mail program."""

    fixed_count = int(os.environ["LOAD_READERS"])
    wait_time = between(10, 50)
    longest_wait = 30

    @task(19)
    def read(self) -> None:
        self.open(*random.choice(_PUBLIC))  # noqa: S311

    @task
    def unsubscribe(self) -> None:
        if link := next(_links, ""):
            self.post(ONE_CLICK, link, {"List-Unsubscribe": "One-Click"})
