"""Set up a domain's webhook at MailerSend, whose signing secret is shown on MailerSend's pages alone.

Source: developers.mailersend.com/api/v1/webhooks (list, create, update) and /domains, of 16 December 2025. MailerSend asks our
address before it saves a webhook, and answers nothing that holds the secret: staff write it into ``webhook_key``.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from newsletter.common.messages import Message
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text
from newsletter.providers.base.webhook_setup import ListedWebhooks, missing_events, switched_off
from newsletter.providers.mailersend.adapter import MailerSend

EVENTS = (
    "activity.sent",
    "activity.delivered",
    "activity.soft_bounced",
    "activity.hard_bounced",
    "activity.deferred",
    "activity.unsubscribed",
    "activity.spam_complaint",
)
_NAME = "Newsletter"
_VERSION = 2
_PAGE_SIZE = 100


class MailerSendWebhooks(ListedWebhooks):
    adapter = MailerSend
    right = Message("Domains: read access, and Webhooks: full access")
    url_field = "url"
    # MailerSend allows 60 of these calls a minute.
    seconds_between = 1.0

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.settings.key}"}

    def _list(self) -> Sequence[Row]:
        return self._list_pages("/v1/webhooks", domain_id=self._find_domain())

    def _find_problems(self, row: Row) -> list[str]:
        problems = self._find_fixable_problems(row)
        if not self.keys:
            why = Message(
                "MailerSend shows the secret that signs its reports on its own pages only, so they are refused. Open the webhook "
                "at MailerSend, add its signing secret as &webhook_key=… to %(setting)s and start the program again.",
                setting=self.target.setting,
            )
            problems.append(why)
        return problems

    def _needs_change(self, row: Row) -> bool:
        return bool(self._find_fixable_problems(row))

    def _create(self) -> None:
        document = {"url": self.target.url, "name": _NAME, "version": _VERSION, "domain_id": self._find_domain()}
        self.calls.call("POST", "/v1/webhooks", document={**document, "events": list(EVENTS), "enabled": True})

    def _change(self, row: Row) -> None:
        document = {"events": sorted({*EVENTS, *_read_events(row)}), "enabled": True}
        self.calls.call("PUT", f"/v1/webhooks/{self.read_id(row, 'id')}", document=document)

    def _find_fixable_problems(self, row: Row) -> list[str]:
        problems = [] if row.get("enabled") is True else [switched_off()]
        if missing := [event for event in EVENTS if event not in _read_events(row)]:
            problems.append(missing_events(missing))
        return problems

    def _find_domain(self) -> str:
        """Return MailerSend's id of the domain in the settings. Raise WebhookSetupError if the account has no such domain."""
        rows = self._list_pages("/v1/domains")
        row_of_domain = next((row for row in rows if as_text(row.get("name")).lower() == self.settings.domain), None)
        if row_of_domain is None:
            raise WebhookSetupError(
                "MailerSend does not list the domain %(domain)s for this key, so its webhooks were not looked at. Write the "
                "domain as MailerSend lists it after the @ in %(setting)s.",
                domain=self.settings.domain,
                setting=self.target.setting,
            )
        return self.read_id(row_of_domain, "id")

    def _list_pages(self, path: str, **query: str) -> list[Row]:
        def make_path(page: int) -> str:
            return f"{path}?{urlencode({**query, 'limit': _PAGE_SIZE, 'page': page})}"

        def find_next(page: Row) -> str:
            number = as_mapping(page.get("meta")).get("current_page")
            has_more = bool(as_mapping(page.get("links")).get("next"))
            return make_path(number + 1) if has_more and isinstance(number, int) else ""

        return self.calls.list_rows(make_path(1), "data", find_next=find_next)


def _read_events(row: Row) -> set[str]:
    return {as_text(event) for event in as_list(row.get("events"))}
