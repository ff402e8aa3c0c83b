"""A small Postmaster Tools of Google on loopback, with its token endpoint, that misbehaves as tests ask."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from newsletter.google_postmaster.settings import PostmasterAccess

EMAIL = "figures@example-project.iam.gserviceaccount.com"
REFUSED = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}


@cache
def _make_key() -> rsa.RSAPrivateKey:
    """Return the key of the service account. It is made when a test needs it: each test process loads this module."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _write_key() -> str:
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return _make_key().private_bytes(pem, pkcs8, serialization.NoEncryption()).decode()


def google_error(status: int, state: str, reason: str = "") -> tuple[int, bytes]:
    """Return an error as Google writes it (google.rpc.Status with google.rpc.ErrorInfo)."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    return status, json.dumps(
        {"error": {"code": status, "status": state, "message": "no", "details": details}}
    ).encode()


@dataclass
class Google:
    """Google's answers. ``rates`` are by domain and day; a domain without an entry is not verified there.

    ``answers`` replace the right answer of a path such as “token”, “stats” or “compliance”.
    """

    url: str = ""
    rates: dict[str, dict[date, float | None]] = field(default_factory=dict)
    compliance: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    date: datetime | None = None
    page_size: int = 200
    asked: list[str] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)

    def access(self, folder: Path, *, person: str = "", **key: Any) -> PostmasterAccess:
        """Return settings that lead here, with a key file in the folder."""
        file = folder / "google.json"
        file.write_text(json.dumps({**self.service_account(), **key}))
        return PostmasterAccess(key_file=file, person=person, endpoint=self.url)

    def service_account(self) -> dict[str, Any]:
        return {
            "type": "service_account",
            "client_email": EMAIL,
            "private_key": _write_key(),
            "private_key_id": "one",
            "token_uri": f"{self.url}/token",
        }

    def answer_post(self, path: str, body: bytes, authorization: str) -> tuple[int, bytes]:
        if path == "/token":
            return self.answers.get("token") or self._give_token(body)
        domain = unquote(path.split("/")[3])
        self.asked.append(domain)
        if "stats" in self.answers:
            return self.answers["stats"]
        if authorization != "Bearer good":
            return google_error(401, "UNAUTHENTICATED")
        if domain not in self.rates:
            return google_error(403, "PERMISSION_DENIED")
        return 200, self._list_rates(domain, json.loads(body))

    def answer_get(self, path: str) -> tuple[int, bytes]:
        domain = unquote(path.split("/")[3])
        return self.answers.get("compliance") or (200, json.dumps(self.compliance.get(domain, {})).encode())

    def _give_token(self, body: bytes) -> tuple[int, bytes]:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.forms.append(form)
        if "assertion" in form:
            claims = jwt.decode(form["assertion"], options={"verify_signature": False})
            jwt.PyJWS().decode(form["assertion"], _make_key().public_key(), algorithms=["RS256"])
            self.claims.append(claims)
        return 200, b'{"access_token": "good", "expires_in": 3599}'

    def _list_rates(self, domain: str, request: dict[str, Any]) -> bytes:
        [metric] = request["metricDefinitions"]
        assert metric["baseMetric"] == {"standardMetric": "SPAM_RATE"}
        start = int(request.get("pageToken", 0))
        days = sorted(self.rates[domain])
        stats = [self._describe(metric["name"], day, self.rates[domain][day]) for day in days]
        page = {"domainStats": stats[start : start + self.page_size]} if stats else {}
        if start + self.page_size < len(stats):
            page["nextPageToken"] = str(start + self.page_size)
        return json.dumps(page).encode()

    def _describe(self, metric: str, day: date, rate: float | None) -> dict[str, Any]:
        found = {"metric": metric, "date": {"year": day.year, "month": day.month, "day": day.day}}
        return found if rate is None else {**found, "value": {"floatValue": rate}}


class _Handler(BaseHTTPRequestHandler):
    google: Google

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(*self.google.answer_post(self.path, body, self.headers.get("Authorization", "")))

    def do_GET(self) -> None:
        self._send(*self.google.answer_get(self.path))

    def date_time_string(self, timestamp: float | None = None) -> str:
        at = self.google.date or datetime.now(UTC)
        return at.strftime("%a, %d %b %Y %H:%M:%S GMT")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@contextmanager
def google_postmaster() -> Iterator[Google]:
    google = Google()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"google": google}))
    google.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield google
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
