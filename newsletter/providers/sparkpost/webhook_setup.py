"""Set up a webhook at SparkPost, with a user and a password, as SparkPost signs nothing.

SparkPost tries the address while it creates the webhook, so the password is kept before.
Source: developers.sparkpost.com/api/webhooks.
"""

from collections.abc import Mapping, Sequence

from newsletter.common.messages import Message
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text
from newsletter.providers.base.webhook_setup import ListedWebhooks, missing_events, switched_off, unknown_key
from newsletter.providers.sparkpost.adapter import SparkPost

EVENTS = (
    "injection",
    "delivery",
    "delay",
    "bounce",
    "out_of_band",
    "policy_rejection",
    "generation_failure",
    "generation_rejection",
    "spam_complaint",
    "list_unsubscribe",
    "link_unsubscribe",
)
_PATH = "/api/v1/webhooks"


class SparkPostWebhooks(ListedWebhooks):
    adapter = SparkPost
    right = Message("Event Webhooks: Read/Write")
    url_field = "target"

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": self.settings.key}

    def _list(self) -> Sequence[Row]:
        return self.calls.list_rows(_PATH, "results")

    def _find_problems(self, row: Row) -> list[str]:
        problems = [switched_off()] if row.get("active") is False else []
        if missing := [event for event in EVENTS if event not in as_list(row.get("events"))]:
            problems.append(missing_events(missing))
        credentials = as_mapping(row.get("auth_credentials"))
        pair = f"{as_text(credentials.get('username'))}:{as_text(credentials.get('password'))}"
        if not {pair, as_text(credentials.get("access_token"))} & set(self.keys):
            problems.append(unknown_key())
        return problems

    def _create(self) -> None:
        self.calls.call("POST", _PATH, document={"name": "Newsletter", "active": True, **self._document(EVENTS)})

    def _change(self, row: Row) -> None:
        earlier_events = [as_text(event) for event in as_list(row.get("events"))]
        document = {"active": True, **self._document(sorted({*EVENTS, *earlier_events}))}
        self.calls.call("PUT", f"{_PATH}/{self.read_id(row, 'id')}", document=document)

    def _document(self, events: Sequence[str]) -> dict[str, object]:
        user, password = self.keep_password()
        return {
            "target": self.target.url,
            "events": list(events),
            "auth_type": "basic",
            "auth_credentials": {"username": user, "password": password},
        }
