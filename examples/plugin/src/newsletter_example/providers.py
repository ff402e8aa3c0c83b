"""A mail relay of your own: one call with a complete mail for each person.

``POST /batches`` answers ``{"id": "…", "accepted": 2}``. Reports are posted as a list of
``{"id", "event", "delivery", "batch", "address"}`` with a password.
"""

from newsletter.extensions.providers import (
    BadWebhook,
    Capabilities,
    Feedback,
    FeedbackKind,
    HttpAdapter,
    Outcome,
    PreparedBatch,
    ProviderKind,
    ProviderResponse,
    UrlRules,
    Verdict,
    WebhookHandler,
    WebhookRequest,
    as_mapping,
    check_password,
    format_mailbox,
    merge_personal_mails,
    parse_delivery_id,
    parse_json_or_none,
)


class Relay(HttpAdapter):
    label = "Our relay"
    own_domain = "relay.example.org"
    default_endpoint = "https://relay.example.org"
    send_path = "/batches"
    url_rules = UrlRules("relay", max_batch=100)
    offer = Capabilities(name="relay", merge="full", max_batch=100, max_bytes=10_000_000, reconcile="events")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    def _build_payload(self, prepared: PreparedBatch) -> dict[str, object]:
        mail = prepared.mail
        messages = [
            {
                "from": format_mailbox(mail.from_name, mail.from_email),
                "to": personal.address,
                "reply_to": mail.reply_to,
                "subject": personal.subject,
                "html": personal.html,
                "text": personal.text,
                "headers": dict(personal.headers),
                "delivery": str(personal.delivery),
            }
            for personal in merge_personal_mails(prepared)
        ]
        return {"batch": prepared.call.key, "messages": messages}

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        receipt = as_mapping(parse_json_or_none(answer.body))
        if receipt.get("accepted") != len(prepared.people) or not receipt.get("id"):
            return None
        return Outcome(Verdict.ACCEPTED, provider_id=str(receipt["id"]))


_EVENTS = {
    "delivered": FeedbackKind.DELIVERED,
    "bounced": FeedbackKind.BOUNCED,
    "complained": FeedbackKind.COMPLAINED,
}


def _parse(request: WebhookRequest) -> list[Feedback]:
    rows = parse_json_or_none(request.body)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadWebhook("The report is no list of events.")
    return [
        Feedback(
            provider="relay",
            key=str(row.get("id", "")),
            kind=_EVENTS.get(str(row.get("event")), FeedbackKind.UNKNOWN),
            address=str(row.get("address", "")),
            delivery=parse_delivery_id(row.get("delivery")),
            batch=str(row.get("batch", "")),
        )
        for row in rows
    ]


class RelayKind(ProviderKind):
    interface = 1
    adapter = Relay
    webhooks = WebhookHandler("relay", verify=check_password, parse=_parse, atomic=True)
