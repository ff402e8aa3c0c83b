"""Set up a transactional webhook at Brevo, with a bearer token, as Brevo signs nothing.

Source: developers.brevo.com/reference/create-webhook, get-webhooks, update-webhook, and docs/secured-webhooks.
"""

from collections.abc import Mapping, Sequence

from newsletter.common.messages import Message
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text
from newsletter.providers.base.webhook_setup import ListedWebhooks, missing_events, read_userinfo, unknown_key
from newsletter.providers.brevo.adapter import Brevo

EVENTS = ("request", "delivered", "deferred", "softBounce", "hardBounce", "invalid", "blocked", "spam", "unsubscribed")
_OTHER_NAMES = {"sent": "request"}


class BrevoWebhooks(ListedWebhooks):
    adapter = Brevo
    right = Message("an API key of the account (v3), not an SMTP key")
    url_field = "url"

    def _headers(self) -> Mapping[str, str]:
        return {"api-key": self.settings.key}

    def _list(self) -> Sequence[Row]:
        answer = self.calls.call("GET", "/v3/webhooks?type=transactional&sort=asc", accept=(404,))
        page = as_mapping(self.calls.read_json(answer))
        if answer.status == 404 and page.get("code") == "document_not_found":
            # An account without webhooks has no list either.
            return []
        rows = page.get("webhooks")
        if not isinstance(rows, list):
            raise self.calls.unreadable()
        return [as_mapping(row) for row in rows]

    def _find_problems(self, row: Row) -> list[str]:
        missing = [event for event in EVENTS if event not in _read_events(row)]
        problems = [missing_events(missing)] if missing else []
        sent_keys = _read_keys(row)
        if not sent_keys & set(self.keys) and (sent_keys or not self.keys):
            problems.append(unknown_key())
        return problems

    def _needs_change(self, row: Row) -> bool:
        # If Brevo does not show the token, it may be another than ours: give ours again.
        return not _read_keys(row) or super()._needs_change(row)

    def _create(self) -> None:
        document = {"type": "transactional", "description": "Newsletter", **self._document(EVENTS)}
        self.calls.call("POST", "/v3/webhooks", document=document)

    def _change(self, row: Row) -> None:
        document = self._document(sorted({*EVENTS, *_read_events(row)}))
        self.calls.call("PUT", f"/v3/webhooks/{self.read_id(row, 'id')}", document=document)

    def _document(self, events: Sequence[str]) -> dict[str, object]:
        token = self.keys[0] if self.keys else self.target.new_key
        self.keep(token)
        return {"url": self.target.url, "events": list(events), "auth": {"type": "bearer", "token": token}}


def _read_keys(row: Row) -> set[str]:
    keys = {as_text(as_mapping(row.get("auth")).get("token")), read_userinfo(as_text(row.get("url"), max_length=2000))}
    return keys - {""}


def _read_events(row: Row) -> set[str]:
    return {_OTHER_NAMES.get(name, name) for name in (as_text(event) for event in as_list(row.get("events")))}
