"""Reports of the provider in a soak: some are lost, the others come up to three times, shuffled and late, among forged ones.

They are posted to the running web process until it answers 200.
"""

import http.client
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import Any

import django

from tests.soak.addresses import number_of
from tests.soak.plan import RESEND_SECRET, Plan
from tests.support.fake_provider import Entry, FakeProvider
from tests.support.provider_webhooks import mailgun_event, sign_mailgun, sign_svix

TARGET_REPORTS = 8_000
"""The approximate number of people with a report in a send of any size; each report is a call of its own."""
MAX_FORGED_SHARE = 0.2
POSTERS = 3
RETRY_SECONDS = 2.0
LATE_SECONDS = (0.0, 6.0)
VERY_LATE_SECONDS = (20.0, 60.0)
NO_COMPLAINT_BEFORE, MOST_COMPLAINTS = 2_000, 2
OTHER_KEY = "whsec_" + "b3RoZXI" * 4
_DETAIL = {"hard": "550 5.1.1 there is no such user", "soft": "452 4.2.2 the mailbox is full"}


@dataclass(frozen=True)
class Report:
    """One event about one mail. ``what`` is delivered, hard, soft or complained; ``batch`` is our key of its call."""

    what: str
    address: str
    delivery: int
    batch: str
    at: datetime
    forged: bool = False

    @property
    def name(self) -> str:
        return f"{self.what}-{self.delivery}" + ("-forged" if self.forged else "")


class Reports:
    """``told`` has the deliveries of each kind of report that was answered with 200; ``proven`` has their batches' keys."""

    def __init__(
        self, provider: FakeProvider, *, plan: Plan, chance: random.Random, people: int, port: Callable[[], int]
    ) -> None:
        django.setup()
        from newsletter.feedback.endpoint import webhook_secret

        self._provider, self._plan, self._chance, self._port = provider, plan, chance, port
        self._share = min(TARGET_REPORTS / people, MAX_FORGED_SHARE)
        self._path = f"/hooks/{plan.scheme}/{webhook_secret(plan.scheme)}"
        self.told: dict[str, set[int]] = defaultdict(set)
        self.proven: set[str] = set()
        self.lost = self.posted = self.forged = self.refused = 0
        self.forgeries_taken: list[str] = []
        self._complained_at: set[str] = set()
        self._waiting: list[tuple[float, int, Report]] = []
        self._number = 0
        self._seen: set[int] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._hurry = False
        self._busy = 0
        self._threads = [threading.Thread(target=self._look, daemon=True)]
        self._threads += [threading.Thread(target=self._post, daemon=True) for _ in range(POSTERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self, *, seconds: float) -> None:
        """Post all that is left at once. Raise AssertionError if that does not end."""
        end = time.monotonic() + seconds
        self._write_of_new_mails()
        self._hurry = True
        while self._waiting or self._busy:
            assert time.monotonic() < end, f"{len(self._waiting)} reports were still not taken after {seconds:.0f} s"
            time.sleep(0.1)

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(30)

    def _look(self) -> None:
        while not self._over.wait(0.5):
            self._write_of_new_mails()

    def _write_of_new_mails(self) -> None:
        with self._lock:
            for entry in self._provider.accepted():
                if entry.number not in self._seen:
                    self._seen.add(entry.number)
                    self._write_of(entry)

    def _write_of(self, entry: Entry) -> None:
        known = [address for address in entry.recipients if number_of(address) is not None]
        if not known or entry.form is None:
            return
        count = min(max(round(len(known) * self._share), 1), len(known))
        for address in self._chance.sample(known, count):
            ours = entry.form.mail_for(address).variables
            about = (address, int(ours["delivery"]), ours["batch"], datetime.fromtimestamp(int(entry.at), UTC))
            for what in self._fates(address):
                self._schedule(Report(what, *about))
        if self._chance.random() < 0.2:
            self._put_in(Report("complained", *about, forged=True), after=self._chance.uniform(*LATE_SECONDS))

    def _fates(self, address: str) -> list[str]:
        """Few bounces, and complaints below what stops a send: at most one from a mailbox domain."""
        drawn = self._chance.random()
        if drawn < 0.01:
            return ["hard"]
        if drawn < 0.02:
            return ["soft"]
        domain = address.rpartition("@")[2]
        if drawn > 0.995 and self._number > NO_COMPLAINT_BEFORE and domain not in self._complained_at:
            self._complained_at.add(domain)
            return ["delivered", "complained"] if len(self._complained_at) <= MOST_COMPLAINTS else ["delivered"]
        return ["delivered"]

    def _schedule(self, report: Report) -> None:
        if self._chance.random() < self._plan.lost:
            self.lost += 1
            return
        for _ in range(self._chance.choice((1, 1, 2, 3))):
            late = VERY_LATE_SECONDS if self._chance.random() < 0.05 else LATE_SECONDS
            self._put_in(report, after=self._chance.uniform(*late))

    def _put_in(self, report: Report, *, after: float) -> None:
        self._number += 1
        heappush(self._waiting, (time.monotonic() + after, self._number, report))

    def _take(self) -> Report | None:
        with self._lock:
            if self._waiting and (self._hurry or self._waiting[0][0] <= time.monotonic()):
                self._busy += 1
                return heappop(self._waiting)[2]
        return None

    def _post(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self._over.is_set():
            report = self._take()
            if report is None:
                self._over.wait(0.05)
                continue
            connection = connection or http.client.HTTPConnection("127.0.0.1", self._port(), timeout=30)
            status = self._call(connection, report)
            if status is None:
                connection.close()
                connection = None
            self._note(report, status)

    def _call(self, connection: http.client.HTTPConnection, report: Report) -> int | None:
        body, headers = self._write(report)
        try:
            connection.request("POST", self._path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return None
        return answer.status

    def _note(self, report: Report, status: int | None) -> None:
        with self._lock:
            self._busy -= 1
            if status is None or status >= 500:
                self._put_in(report, after=RETRY_SECONDS)
                return
            if report.forged:
                self.forged += 1
                if status == 200:
                    self.forgeries_taken.append(report.name)
            elif status == 200:
                self.posted += 1
                self.told[report.what].add(report.delivery)
                self.proven.add(report.batch)
            else:
                self.refused += 1

    def _write(self, report: Report) -> tuple[bytes, dict[str, str]]:
        now = datetime.now(UTC)
        if self._plan.scheme == "resend":
            body = json.dumps(_resend_event(report)).encode()
            return body, sign_svix(
                body, secret=OTHER_KEY if report.forged else RESEND_SECRET, now=now, name=report.name
            )
        event = mailgun_event(
            {"hard": "failed", "soft": "failed"}.get(report.what, report.what),
            address=report.address,
            delivery=report.delivery,
            batch=report.batch,
            at=report.at,
            **_mailgun_detail(report.what),
        )
        with self._lock:
            token = f"{self._chance.getrandbits(200):050x}"
        key = {"key": OTHER_KEY} if report.forged else {}
        return sign_mailgun(event, now=now, token=token, **key), {}


def _mailgun_detail(what: str) -> dict[str, Any]:
    if what not in _DETAIL:
        return {}
    return {"severity": "permanent", "reason": "bounce", "delivery-status": {"message": _DETAIL[what]}}


def _resend_event(report: Report) -> dict[str, Any]:
    kind = {"hard": "bounced", "soft": "bounced"}.get(report.what, report.what)
    data: dict[str, Any] = {
        "email_id": f"mail-{report.delivery}",
        "to": [report.address],
        "tags": {"delivery": str(report.delivery), "batch": report.batch},
    }
    if report.what in _DETAIL:
        final = "Permanent" if report.what == "hard" else "Transient"
        data["bounce"] = {"type": final, "message": _DETAIL[report.what]}
    return {"type": f"email.{kind}", "created_at": report.at.isoformat(), "data": data}
