"""Set up a webhook at Resend, which makes the secret that signs its reports.

Source: resend.com/docs/api-reference/webhooks (list, create, retrieve, update).
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from newsletter.common.messages import Message
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text
from newsletter.providers.base.webhook_setup import ListedWebhooks, missing_events, switched_off, unknown_key
from newsletter.providers.resend.adapter import Resend

EVENTS = (
    "email.sent",
    "email.delivered",
    "email.delivery_delayed",
    "email.bounced",
    "email.complained",
    "email.failed",
    "email.suppressed",
)
_PAGE_SIZE = 100


class ResendWebhooks(ListedWebhooks):
    adapter = Resend
    right = Message("Full access")
    url_field = "endpoint"
    seconds_between = 0.5

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.settings.key}"}

    def _list(self) -> Sequence[Row]:
        return self.calls.list_rows(f"/webhooks?limit={_PAGE_SIZE}", "data", find_next=_find_next)

    def _find_problems(self, row: Row) -> list[str]:
        problems = [] if row.get("status") == "enabled" else [switched_off()]
        if missing := sorted(set(EVENTS) - _read_events(row)):
            problems.append(missing_events(missing))
        if self._read_secret(row) not in self.keys:
            problems.append(unknown_key())
        return problems

    def _create(self) -> None:
        document = {"endpoint": self.target.url, "events": list(EVENTS)}
        made = as_mapping(self.calls.read_json(self.calls.call("POST", "/webhooks", document=document)))
        self._keep_secret(as_text(made.get("signing_secret")))

    def _change(self, row: Row) -> None:
        document = {"events": sorted({*EVENTS, *_read_events(row)}), "status": "enabled"}
        self.calls.call("PATCH", f"/webhooks/{self.read_id(row, 'id')}", document=document)
        self._keep_secret(self._read_secret(row))

    def _read_secret(self, row: Row) -> str:
        secret = as_text(row.get("signing_secret"))
        webhook = row if secret else as_mapping(self.calls.get_json(f"/webhooks/{self.read_id(row, 'id')}"))
        return as_text(webhook.get("signing_secret"))

    def _keep_secret(self, secret: str) -> None:
        if not secret:
            raise self.calls.unreadable()
        self.keep(secret)


def _read_events(row: Row) -> set[str]:
    return {as_text(event) for event in as_list(row.get("events"))}


def _find_next(page: Row) -> str:
    rows = as_list(page.get("data"))
    last = as_text(as_mapping(rows[-1]).get("id")) if rows else ""
    return (
        f"/webhooks?{urlencode({'limit': _PAGE_SIZE, 'after': last})}" if page.get("has_more") is True and last else ""
    )
