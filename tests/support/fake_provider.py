"""A fake provider on loopback: it speaks ten send APIs, fails on demand, and keeps a ledger of all requests.

As a program: ``python -m tests.support.fake_provider --port 8025``; then GET ``/_ledger``, GET ``/_mailbox/ADDRESS``,
POST ``/_faults`` with ``[{"kind": "slow", "seconds": 2, "request": 3}]``.
"""

import argparse
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from hashlib import sha256
from urllib.parse import quote

from tests.support.provider_accounts import DOMAIN, make_account_url
from tests.support.provider_faults import Fault
from tests.support.provider_issue_counts import CountedIssue
from tests.support.provider_mailgun import ReceivedMail, RequestRefused, SendRequest
from tests.support.provider_server import Listener
from tests.support.provider_suppression_lists import ListedAddress
from tests.support.provider_templates import SECRET
from tests.support.provider_without_bodies import drop_bodies

KEY = "fake-key-0123456789"


@dataclass
class Entry:
    """One request. ``number`` counts from 1; ``arrived`` is monotonic seconds, ``at`` the same in seconds since 1970."""

    number: int
    arrived: float
    path: str
    at: float = field(default_factory=time.time)
    recipients: list[str] = field(default_factory=list)
    accepted: bool = False
    provider_id: str = ""
    status: int | None = None
    fault: str = ""
    size: int = 0
    refused: list[str] = field(default_factory=list)
    form: SendRequest | None = field(default=None, repr=False)
    taken_at: float = 0.0


class FakeProvider:
    """Start it, point NEWSLETTER_PROVIDER_URL at ``provider_url``, read ``ledger`` and ``mailbox``; stop it."""

    def __init__(self, *, key: str = KEY, domain: str = DOMAIN, port: int = 0, keep_mails: bool = True) -> None:
        """Without ``keep_mails``, mails to several recipients are kept without their bodies."""
        self.key, self.domain, self._keep_mails = key, domain, keep_mails
        self.ledger: list[Entry] = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._by_number: dict[int, Fault] = {}
        self._by_address: dict[str, Fault] = {}
        self._next: list[Fault] = []
        self._always: Fault | None = None
        self._refused: dict[str, int | str] = {}
        self.queries: list[str] = []
        self.query_fault: Fault | None = None
        self.query_delay = 0.0
        self.unrecorded: set[str] = set()
        self.suppressed: list[ListedAddress] = []
        self.counted: dict[str, CountedIssue] = {}
        self.page_size = 1000
        self._replays: dict[str, tuple[bytes, Entry]] = {}
        self._listener = Listener(self, port=port)

    def start(self) -> "FakeProvider":
        self._listener.open()
        return self

    def stop(self) -> None:
        self.release()
        self._listener.close()

    def stop_listening(self) -> None:
        """Reset every call and refuse connections, as a provider that is down does."""
        self._listener.close_abruptly()

    def start_listening(self) -> None:
        """Listen again at the same address."""
        self._listener.open()

    def release(self) -> None:
        """End all current and future stalls."""
        self._released.set()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}"

    def url_of(self, scheme: str) -> str:
        """Return the NEWSLETTER_PROVIDER_URL of another provider's API at the same address."""
        if scheme == "mailgun":
            return self.provider_url
        account = make_account_url(scheme, key=quote(self.key, safe=""), secret=quote(SECRET, safe=""))
        return f"{account}?endpoint={quote(self.endpoint, safe='')}"

    @property
    def provider_url(self) -> str:
        return f"mailgun://{quote(self.key, safe='')}@{self.domain}?endpoint={quote(self.endpoint, safe='')}"

    def fault_on(self, number: int, fault: Fault) -> None:
        """Fail on the request of this number (the first is 1)."""
        self._by_number[number] = fault

    def fault_next(self, *faults: Fault) -> None:
        """Fail on the next requests, one fault each."""
        self._next.extend(faults)

    def fault_for(self, address: str, fault: Fault) -> None:
        """Fail on every request that has this recipient."""
        self._by_address[address] = fault

    def fault_always(self, fault: Fault | None) -> None:
        """Fail on every request; None ends it."""
        self._always = fault

    def refuse_person(self, address: str, code: int | str) -> None:
        """Refuse one recipient beside others who are accepted, with the provider's error code or reason."""
        self._refused[address] = code

    def stop_refusing(self) -> None:
        """Accept everybody from now on."""
        self._refused.clear()
        self._by_address.clear()

    def accepted(self) -> list[Entry]:
        with self._lock:
            return [entry for entry in self.ledger if entry.accepted]

    def accepted_counts(self) -> dict[str, int]:
        """Return the number of accepted mails for each address, which proves that nobody is mailed twice or skipped."""
        counts: dict[str, int] = defaultdict(int)
        for entry in self.accepted():
            for address in set(entry.recipients) - set(entry.refused):
                counts[address] += 1
        return dict(counts)

    def mailbox(self, address: str) -> list[ReceivedMail]:
        """Return the mails that an address would have got, in order."""
        return [
            e.form.mail_for(address)
            for e in self.accepted()
            if e.form is not None and address in e.recipients and address not in e.refused
        ]

    def record_request(self, path: str) -> Entry:
        with self._lock:
            entry = Entry(len(self.ledger) + 1, time.monotonic(), path)
            self.ledger.append(entry)
            return entry

    def fault_of(self, entry: Entry) -> Fault | None:
        with self._lock:
            if entry.number in self._by_number:
                return self._by_number[entry.number]
            return self._next.pop(0) if self._next else self._always

    def fault_of_people(self, recipients: list[str]) -> Fault | None:
        return next((self._by_address[address] for address in recipients if address in self._by_address), None)

    def accept(self, entry: Entry) -> None:
        with self._lock:
            entry.provider_id = (entry.form.own_id if entry.form else "") or f"<{entry.number}.fake@{self.domain}>"
            entry.refused = [address for address in entry.recipients if address in self._refused]
            if entry.form and entry.form.replay_key in self._replays:
                return
            if entry.form and entry.form.replay_key:
                self._replays[entry.form.replay_key] = (sha256(entry.form.content).digest(), entry)
            entry.accepted, entry.taken_at = True, time.monotonic()

    def store_entry(self, entry: Entry) -> None:
        """Drop the bodies of an entry whose call is over, unless mails are kept."""
        if not self._keep_mails and entry.form and len(entry.recipients) > 1:
            entry.form = drop_bodies(entry.form)

    def recorded(self) -> list[Entry]:
        """Return what lookups find: entries accepted ``query_delay`` seconds ago or more, without ``unrecorded`` addresses."""
        until = time.monotonic() - self.query_delay
        return [
            replace(entry, refused=[*entry.refused, *self.unrecorded])
            for entry in self.accepted()
            if entry.taken_at <= until
        ]

    def find_replay(self, request: SendRequest) -> Entry | None:
        """Return the entry that accepted this request before, by its key. Raise RequestRefused if the content differs."""
        digest, entry = self._replays.get(request.replay_key, (b"", None))
        if entry is not None and request.refuses_replay:
            raise RequestRefused(400, "duplicate value for idempotencyKey", name="duplicate_parameter")
        if entry is not None and digest != sha256(request.content).digest():
            raise RequestRefused(409, "this key was used with another payload", name="invalid_idempotent_request")
        return entry

    def receipt(self, entry: Entry) -> tuple[int, dict[str, str], bytes]:
        if entry.form is None:
            raise ValueError("a request that could not be read has no receipt")
        return entry.form.receipt(entry.provider_id, self._refused)

    def wait(self, seconds: float) -> bool:
        """Wait for some seconds. Return True if all stalls are to end."""
        return self._released.wait(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake Mailgun on loopback, for tests and rehearsals.")
    parser.add_argument("--port", type=int, default=8025)
    port = parser.parse_args().port
    provider = FakeProvider(port=port).start()
    print(provider.provider_url, flush=True)  # noqa: T201 -- a program's output
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        provider.stop()


if __name__ == "__main__":
    main()
