"""Read the events of Scaleway Transactional Email, which its Topics and Events posts in signed messages of SNS's form.

Source: scaleway.com/en/docs/transactional-email/reference-content/webhook-events-payloads, of 1 October 2025. Nothing there
is a complaint: ``email_spam`` is a mail that Scaleway or the receiving server refused as spam.
"""

import re
from datetime import datetime

from newsletter.providers.base.json_values import (
    Row,
    as_list,
    as_mapping,
    as_text,
    parse_address,
    parse_delivery_id,
    parse_time,
)
from newsletter.providers.base.webhooks.bodies import make_key, parse_json_object
from newsletter.providers.base.webhooks.bounces import classify_bounce, find_enhanced_status, find_report_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.sns import (
    SnsCertificates,
    SnsService,
    check_sns,
    parse_event,
    parse_subscription,
    read_message_id,
)
from newsletter.providers.base.webhooks.verification import WebhookHandler, WebhookRequest, require_keys
from newsletter.providers.scaleway.adapter import ID_HEADER, REGION

_PROVIDER = "Scaleway"
_KINDS = {
    "email_queued": FeedbackKind.ACCEPTED,
    "email_delivered": FeedbackKind.DELIVERED,
    "email_deferred": FeedbackKind.DEFERRED,
    "email_dropped": FeedbackKind.BOUNCED,
    "email_mailbox_not_found": FeedbackKind.BOUNCED,
    "email_spam": FeedbackKind.BOUNCED,
    "email_blocklisted": FeedbackKind.BOUNCED,
}
_LISTED_FOR = {"mailbox_not_found": FeedbackKind.BOUNCED}
"""Why an address is on Scaleway's blocklist. A full mailbox is no reason to suppress it here too."""
ARN = re.compile(r"arn:scw:sns:[a-z0-9-]{1,20}:[A-Za-z0-9-]{1,80}:[A-Za-z0-9_-]{1,256}")
SCALEWAY_TOPICS = SnsService(
    "Scaleway",
    host=re.compile(rf"sns\.mnq\.{REGION}\.scaleway\.com"),
    certificate_host=re.compile(rf"messaging\.s3\.{REGION}\.scw\.cloud"),
    chain_url=f"https://messaging.s3.{REGION}.scw.cloud/{REGION}/sns/sns-trust-chain.pem",
)


def make_scaleway_handler(certificates: SnsCertificates | None = None) -> WebhookHandler:
    """Return the handler, which caches certificates. ``webhook_key`` is the ARN of our topic."""
    cache = certificates or SnsCertificates(SCALEWAY_TOPICS)

    def verify(call: WebhookRequest, key: str, now: datetime) -> str:
        topics = require_keys(key, provider="Scaleway (the ARN of its topic)", by_hand=True)
        check_sns(parse_json_object(call.body, provider=_PROVIDER), topics=topics, certificates=cache, now=now)
        return ""

    return WebhookHandler(name="scaleway", verify=verify, parse=parse_scaleway, atomic=False, key_by_hand=True)


def parse_scaleway(call: WebhookRequest) -> list[Feedback]:
    """Return the event of a message. Raise BadWebhook if it is not one."""
    message = parse_json_object(call.body, provider=_PROVIDER)
    if subscription := parse_subscription(message, service=SCALEWAY_TOPICS, provider="scaleway"):
        return [subscription]
    message_id, event = read_message_id(message), parse_event(message)
    name = as_text(event.get("type")).lower()
    kind = _KINDS.get(name, FeedbackKind.UNKNOWN)
    reply = f"{as_text(event.get('email_response_code'), max_length=4)} {as_text(event.get('email_response_message'))}"
    server_reply = reply.strip() or as_text(event.get("email_error"))
    delivery, _, batch = _read_ids(event).partition(" ")
    return [
        Feedback(
            provider="scaleway",
            key=make_key(as_text(event.get("id"), max_length=80) or message_id),
            kind=kind,
            address=parse_address(event.get("email_to") or event.get("email_rcpt_to")),
            delivery=parse_delivery_id(delivery),
            batch=batch[:80],
            at=parse_time(event.get("created_at")) or parse_time(message.get("Timestamp")),
            bounce_class=_classify(name, server_reply) if kind is FeedbackKind.BOUNCED else BounceClass.NONE,
            reason=server_reply or as_text(event.get("blocklist_reason")),
            provider_id=as_text(event.get("email_id"), max_length=80),
            status=find_report_status(kind, server_reply),
            listed_for=_LISTED_FOR.get(as_text(event.get("blocklist_type"))) if name == "email_blocklisted" else None,
        )
    ]


def _read_ids(event: Row) -> str:
    headers = (as_mapping(row) for row in as_list(event.get("email_headers")))
    ids = (
        as_text(row.get("value"), max_length=200)
        for row in headers
        if as_text(row.get("key")).lower() == ID_HEADER.lower()
    )
    return next(ids, "")


def _classify(name: str, server_reply: str) -> BounceClass:
    if name == "email_spam":
        return BounceClass.BLOCK
    if name == "email_blocklisted":
        return BounceClass.SUPPRESSED
    is_dead = name == "email_mailbox_not_found" or find_enhanced_status(server_reply).startswith("5.1.")
    return classify_bounce(server_reply, fallback=BounceClass.HARD if is_dead else BounceClass.SOFT)


SCALEWAY = make_scaleway_handler()
