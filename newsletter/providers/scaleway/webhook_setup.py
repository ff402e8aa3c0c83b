"""Set up the webhooks of Scaleway Transactional Email: one for each domain of the project, to the topic in ``webhook_key``.

Source: scaleway.com/en/docs/transactional-email/api-cli/use-webhooks-with-sns-topics, of 13 November 2025. The topic and its
subscription belong to another service, with credentials of its own: staff create them in Scaleway's console.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

from newsletter.common.messages import Message
from newsletter.providers.base.contract import HttpCaller
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text
from newsletter.providers.base.setup_calls import MAX_PAGES, SetupAccount, SetupCalls
from newsletter.providers.base.webhook_setup import (
    WebhookSetup,
    WebhookState,
    list_secrets,
    missing_events,
    no_webhook,
)
from newsletter.providers.base.webhooks.sns import read_confirmation
from newsletter.providers.scaleway.adapter import REGION, Scaleway
from newsletter.providers.scaleway.webhooks import ARN, SCALEWAY_TOPICS

EVENTS = (
    "email_queued",
    "email_delivered",
    "email_deferred",
    "email_dropped",
    "email_mailbox_not_found",
    "email_spam",
    "email_blocklisted",
)
_PATH = f"/transactional-email/v1alpha1/regions/{REGION}"
_TOPICS_ENDPOINT = f"https://sns.mnq.{REGION}.scaleway.com"
_NAME = "newsletter-reports"
_PAGE_SIZE = 100


class ScalewayWebhooks(WebhookSetup):
    adapter = Scaleway
    right = Message("TransactionalEmailFullAccess, in the project that sends")

    def read(self) -> WebhookState:
        arn = self._find_arn()
        rows = self._list("webhooks")
        others = sum(row.get("sns_arn") != arn for row in rows)
        return WebhookState(tuple(self._find_problems(rows, arn)), others)

    def install(self) -> WebhookState:
        arn = self._find_arn()
        if not arn:
            raise WebhookSetupError(_explain_topic(self.target.setting))
        ours = {as_text(row.get("domain_id")): row for row in self._list("webhooks") if row.get("sns_arn") == arn}
        for domain in self._list_domains():
            row = ours.get(domain)
            if row is None:
                self._create(domain, arn)
            elif _find_missing(row):
                events = sorted({*EVENTS, *_read_events(row)})
                self.calls.call(
                    "PATCH", f"{_PATH}/webhooks/{self.read_id(row, 'id')}", document={"event_types": events}
                )
        return self.read()

    def confirm(self, link: str) -> None:
        """Confirm the subscription of our topic by the token of Scaleway's question."""
        token, topic = read_confirmation(link)
        is_ours = SCALEWAY_TOPICS.is_own(link) and topic == self._find_arn()
        if not is_ours or not re.fullmatch(r"[A-Za-z0-9_.=-]{1,2000}", token):
            raise WebhookSetupError(
                "Scaleway’s question is about another topic than the one in webhook_key, so it was not confirmed and that topic "
                "cannot report here. Compare the ARN in webhook_key with the topic in Scaleway’s console."
            )
        parameters = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token})
        self._topic_calls.call("GET", f"/?{parameters}")

    def _headers(self) -> Mapping[str, str]:
        return {"X-Auth-Token": self.settings.key}

    def _make_calls(self, transport: HttpCaller) -> SetupCalls:
        # The token of the question is all that the topic's service needs: it does not get our key.
        topics = SetupAccount(
            provider=self.label,
            setting=self.target.setting,
            right=self.right,
            endpoint=self.settings.endpoint or _TOPICS_ENDPOINT,
            secrets=list_secrets(self.settings, self.target),
        )
        self._topic_calls = SetupCalls(topics, transport=transport)
        return super()._make_calls(transport)

    def _find_arn(self) -> str:
        return next((key for key in self.keys if ARN.fullmatch(key)), "")

    def _find_problems(self, rows: Sequence[Row], arn: str) -> Iterator[str]:
        if not arn:
            yield _explain_topic(self.target.setting)
            return
        ours = {as_text(row.get("domain_id")): row for row in rows if row.get("sns_arn") == arn}
        domains = self._list_domains()
        if not domains or not set(domains) <= ours.keys():
            yield no_webhook(self.label)
        if missing := sorted(
            {event for domain in domains for event in _find_missing(ours.get(domain, {})) if domain in ours}
        ):
            yield missing_events(missing)

    def _create(self, domain: str, arn: str) -> None:
        document = {"domain_id": domain, "project_id": self.settings.domain, "name": _NAME}
        self.calls.call("POST", f"{_PATH}/webhooks", document={**document, "event_types": list(EVENTS), "sns_arn": arn})

    def _list_domains(self) -> list[str]:
        """Return the ids of the project's domains that Scaleway has checked, which are those that can send."""
        return [self.read_id(row, "id") for row in self._list("domains") if row.get("status") == "checked"]

    def _list(self, name: str) -> list[Row]:
        """Return the rows of all pages."""
        rows: list[Row] = []
        for page in range(1, MAX_PAGES + 1):
            query = urlencode({"project_id": self.settings.domain, "page": page, "page_size": _PAGE_SIZE})
            answer = as_mapping(self.calls.get_json(f"{_PATH}/{name}?{query}"))
            items, total = answer.get(name), answer.get("total_count")
            if not isinstance(items, list) or not isinstance(total, int):
                raise self.calls.unreadable()
            rows += [as_mapping(row) for row in items]
            if not items or len(rows) >= total:
                break
        return rows


def _explain_topic(setting: str) -> Message:
    return Message(
        "Scaleway reports to a topic, and none is known here. In Scaleway’s console create a topic under Topics and Events, add "
        "its ARN as &webhook_key=… to %(setting)s and start the program again. Then create a subscription of the "
        "topic (HTTPS) to the address for reports, and set up the reports again.",
        setting=setting,
    )


def _read_events(row: Row) -> set[str]:
    return {as_text(event) for event in as_list(row.get("event_types"))}


def _find_missing(row: Row) -> list[str]:
    return [event for event in EVENTS if event not in _read_events(row)]
