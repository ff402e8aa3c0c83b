"""Set up webhooks at Mailjet, which has one address for each kind of event, with user and password in it.

Source: dev.mailjet.com/email/reference/webhook (/v3/REST/eventcallbackurl) and its guide of the Event API.
"""

from collections.abc import Mapping
from urllib.parse import quote

from newsletter.common.messages import Message
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.json_values import Row, as_text
from newsletter.providers.base.webhook_setup import (
    WebhookSetup,
    WebhookState,
    is_same_url,
    missing_events,
    no_webhook,
    read_userinfo,
    switched_off,
    unknown_key,
)
from newsletter.providers.mailjet.adapter import Mailjet

EVENTS = ("sent", "bounce", "blocked", "spam", "unsub")
_PATH = "/v3/REST/eventcallbackurl"
_GROUPED = 2
_MAX_ROWS = 1000


class MailjetWebhooks(WebhookSetup):
    adapter = Mailjet
    right = Message("the API key and the secret key of the account, which may do everything")

    def read(self) -> WebhookState:
        rows = self._list()
        ours = {event: row for event, row in rows.items() if self._is_ours(row)}
        others = len({as_text(row.get("Url"), max_length=2000) for row in rows.values() if not self._is_ours(row)})
        if not ours:
            return WebhookState((no_webhook(self.label),), others)
        problems = []
        if missing := [event for event in EVENTS if event not in ours]:
            problems.append(missing_events(missing))
        if not all(_is_alive(row) for row in ours.values()):
            problems.append(switched_off())
        if not all(self._has_known_key(row) for row in ours.values()):
            problems.append(unknown_key())
        return WebhookState(tuple(problems), others)

    def install(self) -> WebhookState:
        rows = self._list()
        used_events = [event for event in EVENTS if event in rows and not self._is_ours(rows[event])]
        if used_events:
            raise WebhookSetupError(
                "Mailjet posts each kind of event to one address, and these go to another already: %(events)s. Nothing was "
                "changed. Remove that address at Mailjet if nobody needs it, or use another API key for the newsletter.",
                events=", ".join(used_events),
            )
        for event in EVENTS:
            row = rows.get(event)
            if row is None:
                self.calls.call("POST", _PATH, document=self._document(event))
            elif not _is_alive(row) or not self._has_known_key(row):
                self.calls.call("PUT", f"{_PATH}/{self.read_id(row, 'ID')}", document=self._document(event))
        return self.read()

    def _auth(self) -> tuple[str, str]:
        return self.settings.key, self.settings.secret

    def _list(self) -> Mapping[str, Row]:
        """Return the webhook of each kind of event. Mailjet's spare addresses for a failing one are not ours to change."""
        rows = self.calls.list_rows(f"{_PATH}?Limit={_MAX_ROWS}", "Data")
        return {as_text(row.get("EventType")): row for row in rows if row.get("IsBackup") is not True}

    def _is_ours(self, row: Row) -> bool:
        return is_same_url(as_text(row.get("Url"), max_length=2000), self.target.url)

    def _has_known_key(self, row: Row) -> bool:
        return read_userinfo(as_text(row.get("Url"), max_length=2000)) in self.keys

    def _document(self, event: str) -> dict[str, object]:
        user, password = self.keep_password()
        scheme, _, address = self.target.url.partition("://")
        return {
            "EventType": event,
            "Url": f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{address}",
            "Version": _GROUPED,
            "Status": "alive",
        }


def _is_alive(row: Row) -> bool:
    return as_text(row.get("Status")) in ("alive", "")
