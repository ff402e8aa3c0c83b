"""An imitation of Ghost on loopback: the part of its Admin API that the benchmark calls, and batches of two people.

It is run as Ghost is: in the folder of a site, which has its configuration and keeps its state. It stores each change at
once, so that a killed server starts again with what it had. Like Ghost, it ends a send before it stops on SIGTERM, does
not go on with an email by itself, and does nothing for a retry unless the email has failed.
"""

import json
import os
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

BATCH_SIZE = 2
ID = "6b0cdcc17cb23059f3c1e6e4"
PORT = "server__port"
COOKIE = "ghost-admin-api-session=imitation"
ADMIN = "/ghost/api/admin/"
STATE = Path("content/data/bench.json")
DATABASE = Path("content/data/bench.db")
TABLES = """
CREATE TABLE IF NOT EXISTS members (id PRIMARY KEY, uuid UNIQUE, transient_id UNIQUE, email UNIQUE, name, status);
CREATE TABLE IF NOT EXISTS members_newsletters (id PRIMARY KEY, member_id REFERENCES members, newsletter_id);
"""
NEW_SITE: dict[str, Any] = {"owner": None, "posts": [], "batches": []}
State = dict[str, Any]


class Site:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._mailgun = json.loads(Path("config.production.json").read_text())["bulkEmail"]["mailgun"]
        self.state: State = json.loads(STATE.read_text()) if STATE.exists() else NEW_SITE

    def save(self) -> None:
        with self._lock:
            STATE.parent.mkdir(parents=True, exist_ok=True)
            STATE.write_text(json.dumps(self.state))

    def answer(self, method: str, path: str, body: bytes) -> State:
        match method, path.strip("/").split("/"):
            case "POST", ["authentication", "setup"]:
                self.state["owner"] = json.loads(body)["setup"][0]
            case "POST", ["members"]:
                member = json.loads(body)["members"][0]
                with closing(sqlite3.connect(DATABASE)) as connection, connection:
                    connection.executescript(TABLES)
                    row = (ID, "uuid", "transient", member["email"], member["name"], "free")
                    connection.execute("INSERT INTO members VALUES (?, ?, ?, ?, ?, ?)", row)
                    connection.execute("INSERT INTO members_newsletters VALUES (?, ?, ?)", (ID, ID, "newsletter"))
            case "POST", ["posts"]:
                number = len(self.state["posts"])
                post = {**json.loads(body)["posts"][0], "id": f"post{number}", "updated_at": "now", "email": None}
                self.state["posts"].append(post)
            case "GET", ["posts"]:
                return {"posts": self.state["posts"]}
            case "PUT", ["posts", identifier]:
                return {"posts": [self._publish(identifier, json.loads(body)["posts"][0])]}
            case "GET", ["emails", _]:
                return {"emails": [self._email()]}
            case "GET", ["emails", _, "batches"]:
                return {
                    "batches": [batch | {"count": {"recipients": len(batch["to"])}} for batch in self.state["batches"]]
                }
            case "PUT", ["emails", _, "retry"]:
                return {"emails": [self._email()]}
            case _:
                raise LookupError(f"{method} {path}")
        self.save()
        return {}

    def _email(self) -> State:
        found: State = next(post["email"] for post in self.state["posts"] if post["email"])
        return found

    def _publish(self, identifier: str, change: State) -> State:
        post: State = next(post for post in self.state["posts"] if post["id"] == identifier)
        post.update(status=change["status"], email={"id": "email", "status": "submitting"})
        with closing(sqlite3.connect(DATABASE)) as connection:
            query = "SELECT email FROM members JOIN members_newsletters ON member_id = members.id ORDER BY members.id"
            people = [email for (email,) in connection.execute(query)]
        parts = [people[first : first + BATCH_SIZE] for first in range(0, len(people), BATCH_SIZE)]
        self.state["batches"] = [{"status": "pending", "to": part} for part in parts]
        self.save()
        threading.Thread(target=self._send, args=(post,), daemon=False).start()
        return post

    def _send(self, post: State) -> None:
        for batch in self.state["batches"]:
            batch["status"] = "submitting"
            self.save()
            url = f"{self._mailgun['baseUrl']}/{self._mailgun['domain']}/messages"
            requests.post(url, data={"to": batch["to"], "subject": post["title"]}, timeout=30).raise_for_status()
            batch["status"] = "submitted"
            self.save()
        post["email"]["status"] = "submitted"
        self.save()


def serve(port: int) -> None:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            path = self.path.partition("?")[0].removeprefix(ADMIN)
            if path == "site/":
                self._write(200, b"{}")
            elif path == "session/":
                given = json.loads(body)
                owner = site.state["owner"] or {}
                known = (given["username"], given["password"]) == (owner.get("email"), owner.get("password"))
                self._write(201 if known else 422, b"Created" if known else b"{}", "text/plain", known)
            elif path != "authentication/setup/" and COOKIE not in self.headers.get("Cookie", ""):
                self._write(403, b'{"errors": [{"message": "Authorization failed"}]}')
            else:
                self._write(200, json.dumps(site.answer(self.command, path, body)).encode())

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def _write(self, status: int, body: bytes, kind: str = "application/json", signed_in: bool = False) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if signed_in:
                self.send_header("Set-Cookie", f"{COOKIE}; Path=/ghost; HttpOnly")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write("v20.0.0\n")
    else:
        serve(int(os.environ[PORT]))
