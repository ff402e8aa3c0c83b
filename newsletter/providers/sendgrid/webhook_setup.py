"""Set up an event webhook at SendGrid and its signature; the public key is read and kept.

Source: twilio.com/docs/sendgrid/api-reference/webhooks (get all, create, update an event webhook; toggle signature
verification; get the public key).
"""

from collections.abc import Mapping, Sequence

from newsletter.common.messages import Message
from newsletter.providers.base.json_values import Row, as_mapping, as_text
from newsletter.providers.base.webhook_setup import ListedWebhooks, missing_events, switched_off, unknown_key
from newsletter.providers.sendgrid.adapter import SendGrid

EVENTS = (
    "processed",
    "delivered",
    "deferred",
    "bounce",
    "dropped",
    "spam_report",
    "unsubscribe",
    "group_unsubscribe",
)
_OTHER_EVENTS = ("open", "click", "group_resubscribe")
_PATH = "/v3/user/webhooks/event/settings"


class SendGridWebhooks(ListedWebhooks):
    adapter = SendGrid
    right = Message("Full Access, or Mail Settings with Event Notification")
    url_field = "url"

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.settings.key}"}

    def _list(self) -> Sequence[Row]:
        return self.calls.list_rows(f"{_PATH}/all", "webhooks")

    def _find_problems(self, row: Row) -> list[str]:
        problems = [] if row.get("enabled") is True else [switched_off()]
        if missing := [event for event in EVENTS if row.get(event) is not True]:
            problems.append(missing_events(missing))
        key = as_text(row.get("public_key")) or self._read_public_key(row)
        if not key:
            problems.append(Message("Its reports are not signed, so they are refused."))
        elif key not in [own_key.replace(" ", "+") for own_key in self.keys]:
            problems.append(unknown_key())
        return problems

    def _create(self) -> None:
        settings = {**dict.fromkeys(EVENTS, True), **dict.fromkeys(_OTHER_EVENTS, False)}
        document = {"enabled": True, "url": self.target.url, "friendly_name": "Newsletter", **settings}
        made = self.calls.read_json(self.calls.call("POST", _PATH, document=document))
        self._keep_public_key(as_mapping(made))

    def _change(self, row: Row) -> None:
        document = {"enabled": True, "url": self.target.url, **dict.fromkeys(EVENTS, True)}
        self.calls.call("PATCH", f"{_PATH}/{self._read_id(row)}", document=document)
        self._keep_public_key(row)

    def _keep_public_key(self, row: Row) -> None:
        """Keep the key of the signature. It is switched on only if it is off: switching it on again changes the key."""
        key = self._read_public_key(row)
        if not key:
            answer = self.calls.call("PATCH", f"{_PATH}/signed/{self._read_id(row)}", document={"enabled": True})
            key = as_text(as_mapping(self.calls.read_json(answer)).get("public_key"))
        if not key:
            raise self.calls.unreadable()
        self.keep(key)

    def _read_public_key(self, row: Row) -> str:
        answer = self.calls.call("GET", f"{_PATH}/signed/{self._read_id(row)}", accept=(404,))
        return "" if answer.status == 404 else as_text(as_mapping(self.calls.read_json(answer)).get("public_key"))

    def _read_id(self, row: Row) -> str:
        return self.read_id(row, "id")
