"""Set up the webhook of a message stream at Postmark, with a user and a password, as Postmark signs nothing.

Source: postmarkapp.com/developer/api/webhooks-api.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from newsletter.common.messages import Message
from newsletter.providers.base.json_values import Row, as_mapping, as_text
from newsletter.providers.base.webhook_setup import ListedWebhooks, missing_events, read_userinfo, unknown_key
from newsletter.providers.postmark.adapter import DEFAULT_STREAM, Postmark

TRIGGERS = ("Delivery", "Bounce", "SpamComplaint", "SubscriptionChange")
_MAY_HOLD_CONTENT = ("Bounce", "SpamComplaint")


class PostmarkWebhooks(ListedWebhooks):
    adapter = Postmark
    right = Message("the API token of the server, not of the account")
    url_field = "Url"

    def _headers(self) -> Mapping[str, str]:
        return {"X-Postmark-Server-Token": self.settings.key}

    def _list(self) -> Sequence[Row]:
        return self.calls.list_rows(f"/webhooks?{urlencode({'MessageStream': self._stream})}", "Webhooks")

    def _find_problems(self, row: Row) -> list[str]:
        triggers = as_mapping(row.get("Triggers"))
        missing = [name for name in TRIGGERS if as_mapping(triggers.get(name)).get("Enabled") is not True]
        problems = [missing_events(missing)] if missing else []
        auth = as_mapping(row.get("HttpAuth"))
        pair = f"{as_text(auth.get('Username'))}:{as_text(auth.get('Password'))}"
        if not {pair, read_userinfo(as_text(row.get("Url"), max_length=2000))} & set(self.keys):
            problems.append(unknown_key())
        return problems

    def _create(self) -> None:
        self.calls.call("POST", "/webhooks", document={"MessageStream": self._stream, **self._document({})})

    def _change(self, row: Row) -> None:
        document = self._document(as_mapping(row.get("Triggers")))
        self.calls.call("PUT", f"/webhooks/{self.read_id(row, 'ID')}", document=document)

    def _document(self, triggers: Row) -> dict[str, object]:
        user, password = self.keep_password()
        switched_on = {name: {"Enabled": True} for name in TRIGGERS}
        for name in _MAY_HOLD_CONTENT:
            switched_on[name]["IncludeContent"] = False
        return {
            "Url": self.target.url,
            "HttpAuth": {"Username": user, "Password": password},
            "Triggers": {**triggers, **switched_on},
        }

    @property
    def _stream(self) -> str:
        return self.settings.own_options.get("stream") or DEFAULT_STREAM
