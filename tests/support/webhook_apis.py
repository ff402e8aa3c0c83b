"""Providers on loopback that list, create and change webhooks as their documented interfaces do, and fail on demand."""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote

from tests.support.provider_accounts import HTTP_PROVIDERS, PROJECT, make_account_url

KEY = "provider-key-0123456789"
SECRET = "aws-secret-0123456789"
ELSEWHERE = "https://crm.example.net/hooks"
TOPIC = f"arn:scw:sns:fr-par:project-{PROJECT}:newsletter"
KNOWN_KEYS = {"scaleway": TOPIC, "mailersend": "signing-secret-0123456789"}
"""What staff write into the settings of a provider whose interface shows no key."""
ACCOUNTS = {name: make_account_url(name, key=KEY, secret=SECRET) for name in HTTP_PROVIDERS}
_KEY_HEADERS = {
    "sendgrid": "Authorization",
    "postmark": "X-Postmark-Server-Token",
    "resend": "Authorization",
    "brevo": "api-key",
    "sparkpost": "Authorization",
    "mailgun": "Authorization",
    "ses": "Authorization",
    "mailjet": "Authorization",
    "scaleway": "X-Auth-Token",
    "mailersend": "Authorization",
}
Reply = tuple[int, Any]


@dataclass
class WebhookApi:
    """One account of a provider. ``rows`` are its webhooks, as the provider shows them; ``writes`` all changing calls.

    ``fault`` is (status, body) for every call, or None to close the connection. ``write_fault`` is for changing calls alone.
    """

    name: str
    url: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    subscriptions: list[dict[str, str]] = field(default_factory=list)
    writes: list[tuple[str, str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    page_size: int = 2
    fault: tuple[int, bytes] | None = (0, b"")
    write_fault: tuple[int, bytes] = (0, b"")
    key: str = KEY
    on_create: Callable[[str], None] = lambda url: None
    has_set: bool = False

    @property
    def account(self) -> str:
        mark = "&" if "?" in ACCOUNTS[self.name] else "?"
        extra = "&configuration_set=newsletter" if self.name == "ses" else ""
        return f"{ACCOUNTS[self.name].replace(KEY, self.key)}{mark}endpoint={quote(self.url, safe='')}{extra}"

    def add_others(self, number: int = 5) -> None:
        """Add webhooks of others to the account."""
        for each in range(number):
            getattr(self, f"_{self.name}_other")(f"{ELSEWHERE}/{each}")

    def read_others(self) -> str:
        """Return what the account holds for others."""
        ours = "/hooks/"
        rows = [row for row in self.rows if ours not in json.dumps(row).replace(ELSEWHERE, "")]
        if self.name == "mailgun":
            rows = [
                {"event": row["event"], "urls": [u for u in row["urls"] if u.startswith(ELSEWHERE)]}
                for row in self.rows
            ]
            rows = sorted((row for row in rows if row["urls"]), key=lambda row: row["event"])
        if self.name == "scaleway":
            rows = [row for row in self.rows if row["sns_arn"] != TOPIC]
        if self.name == "ses":
            rows = [row for row in self.rows if "newsletter-reports" not in row["SnsDestination"]["TopicArn"]]
        others = [row for row in self.subscriptions if row["Endpoint"].startswith(ELSEWHERE)]
        return json.dumps([rows, others], sort_keys=True)

    # The providers. Each returns (status, document).

    def _mailgun_other(self, url: str) -> None:
        self.rows.append({"event": f"opened-{len(self.rows)}" if len(self.rows) > 1 else "delivered", "urls": [url]})

    def mailgun(self, method: str, path: str, query: dict[str, str], sent: Any) -> Reply:
        if path == "/v5/accounts/http_signing_key":
            return 200, {"http_signing_key": "key-signing-0123456789"}
        base = "/v3/domains/news.example.org/webhooks"
        if not path.startswith(base):
            return 404, {"message": "Domain not found"}
        known = {row["event"]: row for row in self.rows}
        if method == "GET":
            return 200, {"webhooks": {event: {"urls": row["urls"]} for event, row in known.items()}}
        if method == "POST":
            event = sent["id"][0]
            if event in known:
                return 400, {"Reason": "Webhook already exists"}
            self.rows.append({"event": event, "urls": sent["url"]})
            return 200, {"message": "Webhook has been created", "webhook": {"urls": sent["url"]}}
        row = known[path.rpartition("/")[2]]
        if len(sent["url"]) > 3:
            return 400, {"Reason": "too many urls"}
        row["urls"] = sent["url"]
        return 200, {"message": "Webhook has been updated", "webhook": {"urls": sent["url"]}}

    def _sendgrid_other(self, url: str) -> None:
        self.rows.append({"id": f"other-{len(self.rows)}", "url": url, "enabled": True, "bounce": True})

    def sendgrid(self, method: str, path: str, query: dict[str, str], sent: Any) -> Reply:
        base = "/v3/user/webhooks/event/settings"
        last = path.rpartition("/")[2]
        row = next((row for row in self.rows if row["id"] == last), None)
        if path == f"{base}/all":
            return 200, {
                "max_allowed": 10,
                "webhooks": [{k: v for k, v in row.items() if k != "key"} for row in self.rows],
            }
        if path == f"{base}/signed/{last}":
            if row is None:
                return 404, {"errors": [{"message": "webhook not found"}]}
            if method == "PATCH":
                # Switching it on again makes a new key pair.
                row["key"] = f"public-key-{len(self.writes)}" if sent["enabled"] else ""
            return 200, {"id": last, "public_key": row.get("key", "")}
        if method == "POST" and path == base:
            made = {"id": f"made-{len(self.rows)}", **sent}
            self.rows.append(made)
            return 201, made
        assert row is not None
        row.update(sent)
        return 200, row

    def _postmark_other(self, url: str) -> None:
        triggers = {"Open": {"Enabled": True, "PostFirstOpenOnly": False}}
        auth = {"Username": "crm", "Password": "theirs"}
        row = {
            "ID": 100 + len(self.rows),
            "Url": url,
            "MessageStream": "broadcast",
            "HttpAuth": auth,
            "Triggers": triggers,
        }
        self.rows.append(row)

    def postmark(self, method: str, path: str, query: dict[str, str], sent: Any) -> Reply:
        if method == "GET" and path == "/webhooks":
            if query["MessageStream"] != "broadcast":
                return 422, {"ErrorCode": 1226, "Message": "The message stream does not exist."}
            return 200, {"Webhooks": self.rows}
        if method == "POST":
            self.rows.append({"ID": 900 + len(self.rows), **sent})
            return 200, self.rows[-1]
        row = next(row for row in self.rows if path == f"/webhooks/{row['ID']}")
        assert "MessageStream" not in sent
        row.update(sent)
        return 200, row

    def _resend_other(self, url: str) -> None:
        row = {"id": f"0000-{len(self.rows)}", "endpoint": url, "events": ["contact.created"], "status": "enabled"}
        self.rows.append(row)

    def resend(self, method: str, path: str, query: dict[str, str], sent: Any) -> Reply:
        if method == "GET" and path == "/webhooks":
            ids = [row["id"] for row in self.rows]
            at = ids.index(query["after"]) + 1 if "after" in query else 0
            page = self.rows[at : at + self.page_size]
            shown = [{name: value for name, value in row.items() if name != "signing_secret"} for row in page]
            return 200, {"object": "list", "has_more": at + len(page) < len(self.rows), "data": shown}
        if method == "POST":
            made = {
                "id": f"aaaa-{len(self.rows)}",
                "status": "enabled",
                "signing_secret": f"whsec_{len(self.rows)}abc=",
                **sent,
            }
            self.rows.append(made)
            return 201, {"object": "webhook", "id": made["id"], "signing_secret": made["signing_secret"]}
        row = next(row for row in self.rows if path == f"/webhooks/{row['id']}")
        row.update(sent or {})
        return 200, {"object": "webhook", **row}

    def _brevo_other(self, url: str) -> None:
        self.rows.append({"id": 10 + len(self.rows), "url": url, "events": ["opened"], "type": "transactional"})

    def brevo(self, method: str, path: str, query: dict[str, str], sent: Any) -> Reply:
        if method == "GET":
            if not self.rows:
                return 404, {"code": "document_not_found", "message": "Webhooks not found"}
            return 200, {"webhooks": self.rows}
        if method == "POST":
            self.rows.append({"id": 500 + len(self.rows), **sent})
            return 201, {"id": self.rows[-1]["id"]}
        row = next(row for row in self.rows if path == f"/v3/webhooks/{row['id']}")
        row.update(sent)
        return 204, None

    def _sparkpost_other(self, url: str) -> None:
        row = {"id": f"bbbb-{len(self.rows)}", "name": "CRM", "target": url, "events": ["click"], "active": True}
        self.rows.append({**row, "auth_type": "none", "auth_credentials": {}})

    def sparkpost(self, method: str, path: str, query: dict[str, str], sent: Any) -> Reply:
        if method == "GET":
            return 200, {"results": self.rows}
        if method == "POST":
            # SparkPost tries the address before it keeps the webhook.
            self.on_create(sent["target"])
            self.rows.append({"id": f"cccc-{len(self.rows)}", **sent})
            return 200, {"results": {"id": self.rows[-1]["id"]}}
        row = next(row for row in self.rows if path == f"/api/v1/webhooks/{row['id']}")
        row.update(sent)
        return 200, {"results": {"id": row["id"]}}

    def _ses_other(self, url: str) -> None:
        arn = "arn:aws:sns:eu-west-1:123456789012:other"
        self.has_set = True
        row = {"Name": f"other-{len(self.rows)}", "Enabled": True, "MatchingEventTypes": ["OPEN"]}
        self.rows.append({**row, "SnsDestination": {"TopicArn": arn}})
        self.subscriptions.append({"Endpoint": url, "SubscriptionArn": f"{arn}:{len(self.rows)}", "TopicArn": arn})

    def ses(self, method: str, path: str, query: dict[str, str], sent: Any) -> Reply:
        if path == "/":
            return 200, self._sns(dict(sent))
        base = "/v2/email/configuration-sets"
        if method == "POST" and path == base:
            self.has_set = True
            return 200, {}
        if not self.has_set:
            return 404, {"message": "Configuration set <newsletter> does not exist."}
        if method == "GET":
            return 200, {"EventDestinations": self.rows}
        if method == "POST":
            self.rows.append({"Name": sent["EventDestinationName"], **sent["EventDestination"]})
            return 200, {}
        row = next(row for row in self.rows if path == f"{base}/newsletter/event-destinations/{row['Name']}")
        row.update(sent["EventDestination"])
        return 200, {}

    def _sns(self, form: dict[str, str]) -> str:
        action, arn = form["Action"], form.get("TopicArn", "")
        if action == "CreateTopic":
            inner = f"<TopicArn>arn:aws:sns:eu-west-1:123456789012:{form['Name']}</TopicArn>"
        elif action == "Subscribe":
            pending = {"Endpoint": form["Endpoint"], "SubscriptionArn": "PendingConfirmation", "TopicArn": arn}
            if not any(row["Endpoint"] == form["Endpoint"] for row in self.subscriptions):
                self.subscriptions.append(pending)
            self.on_create(form["Endpoint"])
            inner = "<SubscriptionArn>pending confirmation</SubscriptionArn>"
        elif action == "ConfirmSubscription":
            for row in self.subscriptions:
                if row["SubscriptionArn"] == "PendingConfirmation":
                    row["SubscriptionArn"] = f"{arn}:confirmed"
            inner = f"<SubscriptionArn>{arn}:confirmed</SubscriptionArn>"
        else:
            rows = [row for row in self.subscriptions if row["TopicArn"] == arn]
            at = int(form.get("NextToken", 0))
            page = rows[at : at + self.page_size]
            members = "".join(f"<member>{''.join(f'<{k}>{v}</{k}>' for k, v in row.items())}</member>" for row in page)
            more = f"<NextToken>{at + len(page)}</NextToken>" if at + len(page) < len(rows) else ""
            inner = f"<Subscriptions>{members}</Subscriptions>{more}"
        space = "http://sns.amazonaws.com/doc/2010-03-31/"
        return f'<{action}Response xmlns="{space}"><{action}Result>{inner}</{action}Result></{action}Response>'

    def _mailjet_other(self, url: str) -> None:
        kinds = ("open", "click")
        kind, is_backup = ("bounce", True) if len(self.rows) >= len(kinds) else (kinds[len(self.rows)], False)
        row = {"ID": 40 + len(self.rows), "EventType": kind, "IsBackup": is_backup, "Status": "alive", "Version": 1}
        self.rows.append({**row, "Url": url})

    def mailjet(self, method: str, path: str, query: dict[str, str], sent: Any) -> Reply:
        base = "/v3/REST/eventcallbackurl"
        if method == "GET":
            assert path == base
            return 200, {"Count": len(self.rows), "Data": self.rows[: int(query.get("Limit", 10))]}
        if method == "POST":
            if any(row["EventType"] == sent["EventType"] and not row["IsBackup"] for row in self.rows):
                return 400, {
                    "ErrorInfo": "",
                    "ErrorMessage": "MJ18 A Event-callbackurl already exists",
                    "StatusCode": 400,
                }
            made = max((row["ID"] for row in self.rows), default=39) + 1
            self.rows.append({"ID": made, "IsBackup": False, **sent})
            return 201, {"Count": 1, "Data": [self.rows[-1]]}
        row = next(row for row in self.rows if path == f"{base}/{row['ID']}")
        row.update(sent)
        return 200, {"Count": 1, "Data": [row]}

    def _scaleway_other(self, url: str) -> None:
        row = {"id": f"other-{len(self.rows)}", "domain_id": f"another-{len(self.rows)}", "event_types": ["email_spam"]}
        self.rows.append({**row, "sns_arn": "arn:scw:sns:fr-par:project-x:crm", "name": url})

    def scaleway(self, method: str, path: str, query: dict[str, str], sent: Any) -> Reply:
        if query.get("Action") == "ConfirmSubscription":
            self.subscriptions.append({"Endpoint": query["Token"], "TopicArn": query["TopicArn"]})
            return 200, "<ConfirmSubscriptionResponse/>"
        base = "/transactional-email/v1alpha1/regions/fr-par"
        domains = [
            {"id": "domain-1", "name": "news.example.org", "status": "checked"},
            {"id": "domain-2", "name": "old.example.org", "status": "revoked"},
        ]
        if method == "GET":
            rows = {"domains": domains, "webhooks": self.rows}[path.removeprefix(f"{base}/")]
            at = (int(query["page"]) - 1) * self.page_size
            name = path.rpartition("/")[2]
            return 200, {name: rows[at : at + self.page_size], "total_count": len(rows)}
        if method == "POST":
            assert path == f"{base}/webhooks"
            assert sent["project_id"] == query.get("project_id", PROJECT)
            if any(row["domain_id"] == sent["domain_id"] for row in self.rows):
                return 400, {"message": "only one webhook per domain", "type": "invalid_arguments"}
            self.on_create(sent["sns_arn"])
            self.rows.append({"id": f"made-{len(self.rows)}", **sent})
            return 200, self.rows[-1]
        row = next(row for row in self.rows if path == f"{base}/webhooks/{row['id']}")
        row.update(sent)
        return 200, row

    def _mailersend_other(self, url: str) -> None:
        row = {"id": f"other{len(self.rows)}", "url": url, "events": ["activity.opened"], "enabled": True}
        self.rows.append({**row, "name": "CRM"})

    def mailersend(self, method: str, path: str, query: dict[str, str], sent: Any) -> Reply:
        domains = [{"id": f"dom{number}", "name": f"other{number}.example.org"} for number in range(3)]
        if method == "GET":
            if path == "/v1/webhooks" and query["domain_id"] != "dom3":
                return 422, {"message": "The selected domain id is invalid.", "errors": {"domain_id": ["no"]}}
            rows = self.rows if path == "/v1/webhooks" else [*domains, {"id": "dom3", "name": "news.example.org"}]
            page = int(query["page"])
            shown = rows[(page - 1) * self.page_size : page * self.page_size]
            more = f"{self.url}{path}?page={page + 1}" if page * self.page_size < len(rows) else None
            return 200, {"data": shown, "links": {"next": more}, "meta": {"current_page": page}}
        if method == "POST":
            # MailerSend asks the address before it saves the webhook.
            self.on_create(sent["url"])
            self.rows.append({"id": f"made{len(self.rows)}", **sent})
            return 201, {"data": self.rows[-1]}
        row = next(row for row in self.rows if path == f"/v1/webhooks/{row['id']}")
        row.update(sent)
        return 200, {"data": row}

    # The server's side.

    def answer(self, method: str, path: str, body: bytes, headers: Any) -> tuple[int, bytes] | None:
        path, _, query = path.partition("?")
        self.calls.append(f"{method} {path}")
        if self.fault is None:
            return None
        if self.fault[0]:
            return self.fault
        is_confirmation = self.name == "scaleway" and "Action=ConfirmSubscription" in query
        if not is_confirmation and not self._knows_key(headers):
            return 401, json.dumps({"message": f"no such key: {headers.get(_KEY_HEADERS[self.name])}"}).encode()
        sent = _read_body(body, headers.get("Content-Type", ""))
        is_read = method == "GET" or (isinstance(sent, list) and dict(sent).get("Action", "").startswith("List"))
        if not is_read:
            self.writes.append((method, path, sent))
            if self.write_fault[0]:
                return self.write_fault
        status, document = getattr(self, self.name)(method, path, dict(parse_qsl(query)), sent)
        if isinstance(document, str):
            return status, document.encode()
        return status, b"" if document is None else json.dumps(document).encode()

    def _knows_key(self, headers: Any) -> bool:
        given = headers.get(_KEY_HEADERS[self.name], "")
        if self.name == "mailgun":
            return given == "Basic YXBpOnByb3ZpZGVyLWtleS0wMTIzNDU2Nzg5"
        if self.name == "ses":
            return f"Credential={KEY}/" in given
        if self.name == "mailjet":
            return given == "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        return given in (KEY, f"Bearer {KEY}")


@contextmanager
def serve_webhook_api(name: str) -> Iterator[WebhookApi]:
    """Serve a provider's interface for webhooks until the block ends."""
    api = WebhookApi(name)

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answered = api.answer(self.command, self.path, body, self.headers)
            if answered is None:
                self.close_connection = True
                return
            status, content = answered
            self.send_response(status)
            for header, value in api.headers.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _reply  # noqa: N815 - the names that the base class calls

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read_body(body: bytes, content_type: str) -> Any:
    if content_type.startswith("application/json"):
        return json.loads(body)
    if content_type.startswith("multipart/form-data"):
        parts = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body).get_payload()
        fields: dict[str, list[str]] = {}
        for part in parts:
            found = re.search(r'name="([^"]+)"', part["Content-Disposition"])  # type: ignore[index]
            assert found is not None
            fields.setdefault(found[1], []).append(part.get_payload())  # type: ignore[union-attr, arg-type]
        return fields
    if content_type.startswith("application/x-www-form-urlencoded"):
        return [(name, values[0]) for name, values in parse_qs(body.decode()).items()]
    return None
