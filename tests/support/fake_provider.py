"""A provider on loopback that speaks seven send APIs, misbehaves on demand, and keeps the ledger that tests believe.

As a program: ``python -m tests.support.fake_provider --port 8025``; then GET ``/_ledger``, GET ``/_mailbox/ADDRESS``,
POST ``/_faults`` with ``[{"kind": "slow", "seconds": 2, "request": 3}]``.
"""

import argparse
import base64
import json
import socket
import struct
import threading
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

from tests.support.provider_faults import Fault
from tests.support.provider_json import PATHS, check_json_key, read_json_parcel
from tests.support.provider_mailgun import Parcel, ReceivedMail, Refused, check_form, read_form
from tests.support.provider_queries import answer_query
from tests.support.provider_templates import (
    REGION,
    SECRET,
    TEMPLATE_PATHS,
    check_template_key,
    read_template_parcel,
)

KEY = "fake-key-0123456789"
DOMAIN = "news.example.org"


@dataclass
class Entry:
    """One request, in order of arrival. ``number`` begins at 1; ``arrived`` is seconds of the monotonic clock."""

    number: int
    arrived: float
    path: str
    recipients: list[str] = field(default_factory=list)
    accepted: bool = False
    provider_id: str = ""
    status: int | None = None
    fault: str = ""
    size: int = 0
    refused: list[str] = field(default_factory=list)
    form: Parcel | None = field(default=None, repr=False)
    taken_at: float = 0.0


class FakeProvider:
    """Start it, point NEWSLETTER_PROVIDER_URL at ``provider_url``, read ``ledger`` and ``mailbox``; stop it."""

    def __init__(self, *, key: str = KEY, domain: str = DOMAIN, port: int = 0) -> None:
        self.key, self.domain = key, domain
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
        self._replays: dict[str, tuple[bytes, Entry]] = {}
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.provider = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def start(self) -> "FakeProvider":
        self._thread.start()
        return self

    def stop(self) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def release(self) -> None:
        """End every stall that is going on, and those to come."""
        self._released.set()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def url_of(self, scheme: str) -> str:
        """Give the NEWSLETTER_PROVIDER_URL of another provider's API at the same place."""
        endpoint = quote(self.endpoint, safe="")
        if scheme == "mailgun":
            return self.provider_url
        if scheme == "ses":
            return f"ses://{quote(self.key, safe='')}:{quote(SECRET, safe='')}@{REGION}?endpoint={endpoint}"
        return f"{scheme}://{quote(self.key, safe='')}@?endpoint={endpoint}"

    @property
    def provider_url(self) -> str:
        return f"mailgun://{quote(self.key, safe='')}@{self.domain}?endpoint={quote(self.endpoint, safe='')}"

    def fault_on(self, number: int, fault: Fault) -> None:
        """Misbehave on the request of this number (the first is 1)."""
        self._by_number[number] = fault

    def fault_next(self, *faults: Fault) -> None:
        """Misbehave on the requests that come next, one each."""
        self._next.extend(faults)

    def fault_for(self, address: str, fault: Fault) -> None:
        """Misbehave, every time, on a request that holds this recipient."""
        self._by_address[address] = fault

    def fault_always(self, fault: Fault | None) -> None:
        """Misbehave on every request; None ends it."""
        self._always = fault

    def refuse_person(self, address: str, code: int | str) -> None:
        """Refuse one recipient inside an answer of 200, as Postmark, SES and SparkPost do, with its error code."""
        self._refused[address] = code

    def accepted(self) -> list[Entry]:
        with self._lock:
            return [entry for entry in self.ledger if entry.accepted]

    def accepted_counts(self) -> dict[str, int]:
        """Give how many mails the provider took for each address: the oracle for "nobody twice, nobody skipped"."""
        counts: dict[str, int] = defaultdict(int)
        for entry in self.accepted():
            for address in set(entry.recipients) - set(entry.refused):
                counts[address] += 1
        return dict(counts)

    def mailbox(self, address: str) -> list[ReceivedMail]:
        """Give the mails that a person would have got, in order."""
        return [
            e.form.mail_for(address)
            for e in self.accepted()
            if e.form is not None and address in e.recipients and address not in e.refused
        ]

    def arrive(self, path: str) -> Entry:
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
                self._replays[entry.form.replay_key] = (entry.form.content, entry)
            entry.accepted, entry.taken_at = True, time.monotonic()

    def recorded(self) -> list[Entry]:
        """Give what questions find: what was taken ``query_delay`` seconds ago or more, but for ``unrecorded`` people."""
        until = time.monotonic() - self.query_delay
        return [
            replace(entry, refused=[*entry.refused, *self.unrecorded])
            for entry in self.accepted()
            if entry.taken_at <= until
        ]

    def earlier(self, parcel: Parcel) -> Entry | None:
        """Give the entry that took this very parcel before, by its key. Raises Refused where the content differs."""
        content, entry = self._replays.get(parcel.replay_key, (b"", None))
        if entry is not None and parcel.refuses_replay:
            raise Refused(400, "duplicate value for idempotencyKey", name="duplicate_parameter")
        if entry is not None and content != parcel.content:
            raise Refused(409, "this key was used with another payload", name="invalid_idempotent_request")
        return entry

    def receipt(self, entry: Entry) -> tuple[int, dict[str, str], bytes]:
        if entry.form is None:
            raise ValueError("there is no receipt for what could not be read")
        return entry.form.receipt(entry.provider_id, self._refused)

    def wait(self, seconds: float) -> None:
        self._released.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    provider: FakeProvider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up in the middle is an everyday matter here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body of an answer go out as two small writes; without this each costs 40 ms.
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        provider = self.server.provider
        if self.path == "/_ledger":
            rows = [{**asdict(e), "form": None} for e in list(provider.ledger)]
            self._answer(200, json.dumps(rows).encode())
        elif self.path.startswith("/_mailbox/"):
            mails = provider.mailbox(unquote(self.path.removeprefix("/_mailbox/")))
            self._answer(200, json.dumps([asdict(mail) for mail in mails]).encode())
        else:
            self._answer_query()

    def _answer_query(self) -> None:
        provider = self.server.provider
        provider.queries.append(self.path)
        fault = provider.query_fault
        if fault is not None and fault.kind == "answer":
            self._answer(fault.status, fault.body, fault.headers)
            return
        if fault is not None:
            self._hang_up(reset=fault.kind.startswith("reset"))
            return
        path, _, query = self.path.partition("?")
        found = answer_query(path, query, taken=provider.recorded(), domain=provider.domain)
        try:
            self._check_key(path, b"")
        except Refused as refused:
            self._refuse(refused)
            return
        if found is None:
            self._answer(404, b'{"message": "not found"}')
        else:
            self._answer(200, json.dumps(found).encode())

    def do_POST(self) -> None:
        provider = self.server.provider
        length = int(self.headers.get("Content-Length", 0))
        if self.path == "/_faults":
            for row in json.loads(self.rfile.read(length)):
                number = row.pop("request", None)
                scripted = Fault(**{**row, **({"body": row["body"].encode()} if "body" in row else {})})
                provider.fault_next(scripted) if number is None else provider.fault_on(number, scripted)
            self._answer(200, b"{}")
            return
        entry = provider.arrive(self.path)
        fault = provider.fault_of(entry)
        if fault and fault.kind in ("reset_before_reading", "close_before_reading"):
            entry.fault = fault.kind
            self._hang_up(reset=fault.kind.startswith("reset"))
            return
        body = self.rfile.read(length)
        entry.size = len(body)
        if len(body) < length:
            entry.fault = "incomplete"
            self._hang_up(reset=False)
            return
        try:
            entry.form = self._read_parcel(body)
            entry.recipients = entry.form.recipients
            fault = fault or provider.fault_of_people(entry.recipients)
            earlier = provider.earlier(entry.form)
        except Refused as refused:
            entry.status = refused.status
            self._refuse(refused)
            return
        if earlier is not None and fault is None:
            self._receipt(earlier)
        elif fault is None:
            provider.accept(entry)
            self._receipt(entry)
        else:
            entry.fault = fault.kind
            self._misbehave(entry, fault)

    def _read_parcel(self, body: bytes) -> Parcel:
        provider = self.server.provider
        self._check_key(self.path, body)
        if self.path in PATHS:
            return read_json_parcel(self.path, body=body, headers=self.headers)
        if self.path in TEMPLATE_PATHS:
            return read_template_parcel(self.path, body=body)
        if self.path != f"/v3/{provider.domain}/messages":
            raise Refused(404, f"Domain not found: {self.path}")
        form = read_form(body, content_type=self.headers.get("Content-Type", ""))
        check_form(form)
        return form

    def _check_key(self, path: str, body: bytes) -> None:
        provider = self.server.provider
        if path in PATHS or path.startswith("/messages/"):
            check_json_key(path, headers=self.headers, key=provider.key)
        elif path.startswith(("/v3/smtp/", "/api/v1/", "/v2/")):
            url = f"{provider.endpoint}{path}"
            check_template_key(path, body=body, headers=self.headers, key=provider.key, url=url)
        elif path.startswith("/v3/"):
            given = self.headers.get("Authorization", "").removeprefix("Basic ")
            if given != base64.b64encode(f"api:{provider.key}".encode()).decode():
                raise Refused(401, "Forbidden")

    def _refuse(self, refused: Refused) -> None:
        said = {"message": str(refused), "name": refused.name, "code": refused.name}
        body = {**said, "errors": [{"message": str(refused)}]}
        self._answer(refused.status, json.dumps(body).encode())

    def _receipt(self, entry: Entry) -> None:
        entry.status, headers, body = self.server.provider.receipt(entry)
        self._answer(entry.status, body, headers)

    def _misbehave(self, entry: Entry, fault: Fault) -> None:
        provider = self.server.provider
        if fault.kind == "slow":
            provider.wait(fault.seconds)
            provider.accept(entry)
            self._receipt(entry)
            return
        if fault.accept or fault.kind not in ("answer", "stall_before_accepting"):
            provider.accept(entry)
        if fault.kind == "answer":
            entry.status = fault.status
            self._answer(fault.status, fault.body, fault.headers)
        elif fault.kind in ("reset_after_accepting", "close_after_accepting"):
            self._hang_up(reset=fault.kind.startswith("reset"))
        elif fault.kind in ("stall_after_accepting", "stall_before_accepting"):
            provider.wait(fault.seconds)
            self._hang_up(reset=False)
        elif fault.kind == "truncate":
            self.wfile.write(
                b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 80\r\n\r\n{"id": "<1'
            )
            self._hang_up(reset=False)
        else:
            self._drip(fault.seconds)

    def _drip(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        for byte in b"HTTP/1.1 200 OK\r\nX-Padding: " + b"." * 10_000:
            if time.monotonic() > end or self.server.provider._released.wait(0.1):
                break
            try:
                self.connection.send(bytes([byte]))
            except OSError:
                break
        self._hang_up(reset=False)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.wfile.close()
            self.connection.close()
        else:
            self.connection.shutdown(socket.SHUT_RDWR)


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
