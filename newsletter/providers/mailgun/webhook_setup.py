"""Set up a domain's webhooks at Mailgun, which keeps up to three addresses for each kind of event.

Source: documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/domain-webhooks (v3), and Account Management
(GET /v5/accounts/http_signing_key) for the key that signs.
"""

from collections.abc import Mapping, Sequence

from newsletter.common.messages import Message
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.json_values import as_list, as_mapping, as_text
from newsletter.providers.base.webhook_setup import (
    WebhookSetup,
    WebhookState,
    is_same_url,
    missing_events,
    no_webhook,
    unknown_key,
)
from newsletter.providers.mailgun.adapter import Mailgun

EVENTS = ("accepted", "delivered", "temporary_fail", "permanent_fail", "complained", "unsubscribed")
MAX_URLS = 3
_UNREADABLE_KEY = (400, 401, 403, 404)


class MailgunWebhooks(WebhookSetup):
    adapter = Mailgun
    right = Message("an API key of the account with the role Admin or Developer, not the sending key of a domain")

    def read(self) -> WebhookState:
        urls = self._list_urls()
        missing = self._find_missing(urls)
        problems = []
        if missing:
            problems.append(no_webhook(self.label) if len(missing) == len(EVENTS) else missing_events(missing))
        problems += self._find_key_problems(self._read_signing_key())
        return WebhookState(tuple(problems), others=self._count_others(urls))

    def install(self) -> WebhookState:
        if key := self._read_signing_key():
            self.keep(key)
        urls = self._list_urls()
        missing = self._find_missing(urls)
        full = [event for event in missing if len(urls[event]) >= MAX_URLS]
        if full:
            raise WebhookSetupError(
                "Mailgun already posts these events to %(max_urls)s other addresses, which is the most it takes: %(events)s. "
                "Nothing was changed. Remove an address that nobody needs at Mailgun, then try again.",
                max_urls=MAX_URLS,
                events=", ".join(full),
            )
        for event in missing:
            self._add_url(event, urls[event])
        return self.read()

    def _auth(self) -> tuple[str, str]:
        return ("api", self.settings.key)

    def _list_urls(self) -> Mapping[str, list[str]]:
        """Return the addresses of each kind of event."""
        parsed = as_mapping(self.calls.get_json(self._path)).get("webhooks")
        if not isinstance(parsed, dict):
            raise self.calls.unreadable()
        rows = {event: as_mapping(parsed.get(event)) for event in {*EVENTS, *parsed}}
        return {
            event: [as_text(url, max_length=2000) for url in as_list(row.get("urls"))] for event, row in rows.items()
        }

    def _find_missing(self, urls: Mapping[str, list[str]]) -> list[str]:
        return [event for event in EVENTS if not any(is_same_url(url, self.target.url) for url in urls[event])]

    def _count_others(self, urls: Mapping[str, list[str]]) -> int:
        return len(
            {url for urls_of_event in urls.values() for url in urls_of_event if not is_same_url(url, self.target.url)}
        )

    def _add_url(self, event: str, others: Sequence[str]) -> None:
        """Add our address to those of others: a change replaces them all, so they are given again."""
        urls = [*others, self.target.url]
        if others:
            self.calls.call("PUT", f"{self._path}/{event}", fields=[("url", url) for url in urls])
        else:
            self.calls.call("POST", self._path, fields=[("id", event), ("url", self.target.url)])

    def _read_signing_key(self) -> str:
        """Return the account's signing key, or "" if our key may not read it."""
        answer = self.calls.call("GET", "/v5/accounts/http_signing_key", accept=_UNREADABLE_KEY)
        if answer.status in _UNREADABLE_KEY:
            return ""
        return as_text(as_mapping(self.calls.read_json(answer)).get("http_signing_key"))

    def _find_key_problems(self, key: str) -> list[str]:
        if key and key not in self.keys:
            return [unknown_key()]
        if not self.keys:
            why = Message(
                "Mailgun does not show us the key that signs its reports, so they are refused. Add &webhook_key=… with "
                "Mailgun’s “HTTP webhook signing key” to %(setting)s and start the program again.",
                setting=self.target.setting,
            )
            return [why]
        return []

    @property
    def _path(self) -> str:
        return f"/v3/domains/{self.settings.domain}/webhooks"
