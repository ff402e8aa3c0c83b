"""The HTTP server of the fake provider: it reads requests, answers, and produces faults."""

import base64
import json
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.support.provider_faults import Fault
from tests.support.provider_issue_counts import METRICS, answer_counts, answer_metrics
from tests.support.provider_json import PATHS, POSTMARK_PATHS, check_json_key, read_json_send
from tests.support.provider_mailgun import RequestRefused, SendRequest, check_form, read_form
from tests.support.provider_mailjet import MAILJET, check_mailjet_key, read_mailjet_send
from tests.support.provider_queries import answer_query
from tests.support.provider_single_mails import SINGLE_MAIL_PATHS, check_single_mail_key, read_single_mail
from tests.support.provider_suppression_lists import answer_suppression_list
from tests.support.provider_templates import TEMPLATE_PATHS, check_template_key, read_template_send

if TYPE_CHECKING:
    from tests.support.fake_provider import Entry, FakeProvider


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    provider: "FakeProvider"

    def __init__(self, provider: "FakeProvider", *, port: int) -> None:
        self.provider = provider
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def abort_connections(self) -> None:
        """Reset every open connection."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore callers that close the connection early; tests do so on purpose."""


class Listener:
    """The listening socket: one port, opened and closed any number of times."""

    def __init__(self, provider: "FakeProvider", *, port: int) -> None:
        self._provider = provider
        self._server = Server(provider, port=port)
        self.port = int(self._server.server_address[1])
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        if self._thread is not None:
            return
        if self._server.fileno() == -1:
            self._server = Server(self._provider, port=self.port)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Accept no further connections. Open ones continue."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
            self._thread = None
        self._server.server_close()

    def close_abruptly(self) -> None:
        """Accept no further connections and reset open ones."""
        self.close()
        self._server.abort_connections()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body of an answer go out as two small writes; without this each costs 40 ms.
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

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

    def _answer_query(self, body: bytes = b"") -> None:
        provider = self.server.provider
        provider.queries.append(self.path)
        fault = provider.query_fault
        if fault is not None and fault.kind == "answer":
            self._answer(fault.status, fault.body, fault.headers)
            return
        if fault is not None:
            if fault.kind.startswith("stall"):
                provider.wait(fault.seconds)
            self._hang_up(reset=fault.kind.startswith("reset"))
            return
        path, _, query = self.path.partition("?")
        found = (
            answer_metrics(body, provider.counted)
            if path == METRICS
            else answer_counts(path, query, provider.counted, domain=provider.domain)
        )
        if found is None:
            found = answer_query(path, query, taken=provider.recorded(), domain=provider.domain)
        if found is None:
            found = answer_suppression_list(
                path, query, provider.suppressed, domain=provider.domain, most=provider.page_size
            )
        try:
            self._check_key(path, body, query=query)
        except RequestRefused as refused:
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
        if self.path == METRICS:
            self._answer_query(self.rfile.read(length))
            return
        entry = provider.record_request(self.path)
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
            earlier = provider.find_replay(entry.form)
        except RequestRefused as refused:
            entry.status = refused.status
            self._refuse(refused)
            return
        try:
            self._settle(entry, fault=fault, earlier=earlier)
        finally:
            provider.store_entry(entry)

    def _settle(self, entry: "Entry", *, fault: Fault | None, earlier: "Entry | None") -> None:
        if earlier is not None and fault is None:
            self._receipt(earlier)
        elif fault is None:
            self.server.provider.accept(entry)
            self._receipt(entry)
        else:
            entry.fault = fault.kind
            self._misbehave(entry, fault)

    def _read_parcel(self, body: bytes) -> SendRequest:
        provider = self.server.provider
        self._check_key(self.path, body)
        if self.path in PATHS:
            return read_json_send(self.path, body=body, headers=self.headers)
        if self.path in TEMPLATE_PATHS:
            return read_template_send(self.path, body=body)
        if self.path == MAILJET:
            return read_mailjet_send(body)
        if self.path in SINGLE_MAIL_PATHS:
            return read_single_mail(self.path, body=body)
        if self.path != f"/v3/{provider.domain}/messages":
            raise RequestRefused(404, f"Domain not found: {self.path}")
        form = read_form(body, content_type=self.headers.get("Content-Type", ""))
        check_form(form)
        return form

    def _check_key(self, path: str, body: bytes, *, query: str = "") -> None:
        provider = self.server.provider
        if path in PATHS or path.startswith((*POSTMARK_PATHS, "/v3/suppression/", "/v3/categories/")):
            check_json_key(path, headers=self.headers, key=provider.key)
        elif path.startswith(("/v3/smtp/", "/api/v1/", "/v2/")):
            url = f"{provider.endpoint}{path}" + (f"?{query}" if query else "")
            check_template_key(path, body=body, headers=self.headers, key=provider.key, url=url, method=self.command)
        elif path == MAILJET:
            check_mailjet_key(self.headers, key=provider.key)
        elif path in SINGLE_MAIL_PATHS:
            check_single_mail_key(path, self.headers, key=provider.key)
        elif path.startswith(("/v3/", METRICS)):
            given = self.headers.get("Authorization", "").removeprefix("Basic ")
            if given != base64.b64encode(f"api:{provider.key}".encode()).decode():
                raise RequestRefused(401, "Forbidden")

    def _refuse(self, refused: RequestRefused) -> None:
        said = {"message": str(refused), "name": refused.name, "code": refused.name}
        body = {**said, "errors": [{"message": str(refused)}]}
        self._answer(refused.status, json.dumps(body).encode())

    def _receipt(self, entry: "Entry") -> None:
        entry.status, headers, body = self.server.provider.receipt(entry)
        self._answer(entry.status, body, headers)

    def _misbehave(self, entry: "Entry", fault: Fault) -> None:
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
            if time.monotonic() > end or self.server.provider.wait(0.1):
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
