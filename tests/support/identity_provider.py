"""A small OpenID Connect issuer on loopback that can misbehave in every way that a sign-in must survive."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache as keep_results
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.test import Client

from newsletter.identity_provider.settings import IdentityProvider

CLIENT_ID, CLIENT_SECRET = "newsletter-desk", "a secret: with a colon"
_BASIC = b"newsletter-desk:a%20secret%3A%20with%20a%20colon"


@keep_results
def _make_key(_name: str) -> rsa.RSAPrivateKey:
    """Return the key of this name. It is made when a test needs it: each test process loads this module."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """The claims of the issuer. Tests change them before a sign-in; ``None`` removes a claim."""

    url: str = ""
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "ann-1", "email": "ann@example.org", "email_verified": True}
    )
    token: dict[str, Any] = field(default_factory=dict)
    """Claims of the identity token that differ from the right ones."""
    user_info: dict[str, Any] | None = None
    """The answer of the user info; ``None`` answers with the person."""
    only_user_info: bool = False
    """True leaves the person's claims out of the identity token."""
    discovery: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Answers by path, instead of the right ones."""
    slow: set[str] = field(default_factory=set)
    algorithm: str = "RS256"
    key: Any = field(default_factory=lambda: _make_key("own"))
    requests: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def settings(self, **more: Any) -> IdentityProvider:
        given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "name": "Example ID", **more}
        return IdentityProvider(issuer=self.url, **given)

    def forge(self) -> None:
        """Sign with a key that the issuer does not publish."""
        self.key = _make_key("another")

    def authorize(self, location: str) -> dict[str, str]:
        """Do what the issuer's own page does for somebody who signs in there. Return what comes back to the desk."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def document(self) -> dict[str, Any]:
        paths = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/keys"}
        addresses = {name: f"{self.url}{path}" for name, path in paths.items()}
        whole = {"issuer": self.url, **addresses, "userinfo_endpoint": f"{self.url}/me", **self.discovery}
        return {name: value for name, value in whole.items() if value is not None}

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_make_key("own").public_key()))
        return {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}

    def give_tokens(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if authorization and base64.b64decode(authorization.removeprefix("Basic ")) != _BASIC:
            return 401, {"error": "invalid_client"}
        if asked is None or base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": asked["nonce"],
            **({"sub": self.person["sub"]} if self.only_user_info else self.person),
            **self.token,
        }
        given = {name: value for name, value in claims.items() if value is not None}
        key = self.key if self.algorithm == "RS256" else CLIENT_SECRET * 4
        key = None if self.algorithm == "none" else key
        token = jwt.encode(given, key, algorithm=self.algorithm, headers={"kid": "one"})
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": token}


@contextmanager
def run_issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(issuer))
    server.daemon_threads = True
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    cache.clear()
    try:
        yield issuer
    finally:
        issuer.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
        cache.clear()


def sign_in_with(issuer: Issuer, client: Client, *, path: str = "/accounts/oidc/", **more: str) -> Any:
    """Go through a whole sign-in, and return the desk's last answer. ``more`` replaces parts of the way back."""
    start = client.get(path)
    if start.status_code != 302:
        return start
    back = {**issuer.authorize(start.headers["Location"]), **more}
    return client.get("/accounts/oidc/callback/", back)


def _make_handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            parts = urlsplit(self.path)
            issuer.requests.append((parts.path, parse_qs(parts.query), dict(self.headers)))
            if parts.path in issuer.slow:
                issuer.stopping.wait(20)
                return
            if parts.path in issuer.answers:
                self._send(*issuer.answers[parts.path])
            elif parts.path == "/.well-known/openid-configuration":
                self._send_json(200, issuer.document())
            elif parts.path == "/keys":
                self._send_json(200, issuer.keys())
            elif parts.path == "/token":
                self._send_json(*issuer.give_tokens(form, self.headers.get("Authorization", "")))
            elif parts.path == "/me":
                self._send_json(200, issuer.person if issuer.user_info is None else issuer.user_info)
            else:
                self._send(404, b"")

        def _send_json(self, status: int, document: object) -> None:
            self._send(status, json.dumps(document).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
