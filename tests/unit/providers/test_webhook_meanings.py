"""Each event of each provider has one meaning, contains our ids, and keeps its key when it is repeated."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.bounces import classify_bounce
from newsletter.providers.base.webhooks.events import BounceClass, Feedback
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.providers.registry import WEBHOOK_HANDLERS

AT = datetime(2027, 3, 4, 9, 0, tzinfo=UTC)
OURS = {"delivery": "7", "batch": "1-1-ab"}


def parse(provider: str, body: Any, **headers: str) -> list[Feedback]:
    return WEBHOOK_HANDLERS[provider].parse(WebhookRequest(json.dumps(body).encode(), headers))


def meaning(provider: str, body: Any) -> tuple[str, str]:
    (told,) = parse(provider, body)
    return told.kind.value, told.bounce_class.value


BODIES: dict[str, Any] = {
    "sendgrid": [{"event": "delivered", "email": "ana@example.com", "timestamp": int(AT.timestamp()), **OURS}],
    "postmark": {
        "RecordType": "Delivery",
        "MessageID": "m",
        "Recipient": "ana@example.com",
        "DeliveredAt": "2027-03-04T10:00:00.0000000+01:00",
        "Metadata": OURS,
    },
    "ses": {
        "Type": "Notification",
        "MessageId": "m",
        "Message": json.dumps(
            {
                "eventType": "Delivery",
                "mail": {"tags": {"delivery": ["7"], "batch": ["1-1-ab"]}, "destination": ["ana@example.com"]},
                "delivery": {"timestamp": "2027-03-04T09:00:00.000Z", "recipients": ["ana@example.com"]},
            }
        ),
    },
    "resend": {
        "type": "email.delivered",
        "created_at": "2027-03-04T09:00:00.000Z",
        "data": {"email_id": "e", "to": ["ana@example.com"], "tags": OURS},
    },
    "brevo": {
        "event": "delivered",
        "email": "ana@example.com",
        "message-id": "<m>",
        "ts_epoch": int(AT.timestamp() * 1000),
        "X-Mailin-custom": json.dumps(OURS),
    },
    "mailjet": [
        {
            "event": "sent",
            "time": int(AT.timestamp()),
            "MessageID": 19421777835146490,
            "email": "ana@example.com",
            "smtp_reply": "sent (250 2.0.0 OK)",
            "CustomID": "7",
            "Payload": "7 1-1-ab",
        }
    ],
    "mailersend": {
        "type": "activity.delivered",
        "created_at": "2027-03-04T09:00:00.000000Z",
        "data": {
            "id": "62f114f8165fe0d8db0288e5",
            "message_id": "67f91abd69f79df391e9d78d",
            "type": "delivered",
            "recipient": "ana@example.com",
            "tags": ["weekly-12", "batch_1-1-ab"],
            "meta": [],
        },
    },
    "scaleway": {
        "Type": "Notification",
        "MessageId": "m",
        "Message": json.dumps(
            {
                "id": "af5c1aac-cf1b-4d4d-9e46-e6d0cd40b81c",
                "type": "email_delivered",
                "created_at": "2027-03-04T09:00:00Z",
                "email_id": "d4fbec9d-eed9-44d5-af47-c1126467a5ca",
                "email_to": "ana@example.com",
                "email_headers": [
                    {"key": "List-Id", "value": "x"},
                    {"key": "X-Newsletter-Delivery", "value": "7 1-1-ab"},
                ],
                "email_response_code": 250,
                "email_response_message": "2.0.0 OK",
            }
        ),
    },
    "sparkpost": [
        {
            "msys": {
                "message_event": {
                    "type": "delivery",
                    "event_id": "e",
                    "rcpt_to": "ana@example.com",
                    "rcpt_meta": OURS,
                    "timestamp": str(int(AT.timestamp())),
                }
            }
        }
    ],
}


@pytest.mark.parametrize("provider", BODIES)
def test_our_ids_come_back_from_every_provider(provider: str) -> None:
    (told,) = parse(provider, BODIES[provider], **{"svix-id": "msg_1"})
    assert (told.provider, told.kind, told.address) == (provider, "delivered", "ana@example.com")
    assert (told.batch, told.at) == ("1-1-ab", AT)
    # MailerSend gives back the batch's tag alone: the delivery is found by batch and address.
    assert told.delivery == (None if provider == "mailersend" else 7)


@pytest.mark.parametrize("provider", BODIES)
def test_the_same_event_has_the_same_key_each_time(provider: str) -> None:
    first, second = (parse(provider, BODIES[provider])[0].key for _ in range(2))
    assert first == second
    assert 0 < len(first) <= 120


@pytest.mark.parametrize("provider", [*BODIES, "mailgun"])
@pytest.mark.parametrize("body", ["1", '"x"', "null", "[[]]", "{", "", '{"a": NaN}'])
def test_a_webhook_of_another_form_is_refused(provider: str, body: str) -> None:
    with pytest.raises(BadWebhook):
        WEBHOOK_HANDLERS[provider].parse(WebhookRequest(body.encode()))


@pytest.mark.parametrize("provider", BODIES)
@pytest.mark.requirement("W10")
def test_values_of_any_type_in_any_place_crash_nothing(provider: str) -> None:
    for value in (None, True, 1e300, -1, "\u202e<script>\r\n", [], [[None]], {}, {"a": {"b": []}}, "9" * 5000):
        for told in parse(provider, _replaced(BODIES[provider], value)):
            assert all(text.isprintable() for text in (told.address, told.batch, told.reason, told.provider_id))
            assert len(told.key) <= 120


def _replaced(body: Any, value: Any) -> Any:
    """The same outline with ``value`` at every leaf."""
    if isinstance(body, dict):
        return {name: _replaced(each, value) for name, each in body.items()}
    if isinstance(body, list):
        return [_replaced(each, value) for each in body]
    if isinstance(body, str) and body.startswith("{"):
        return json.dumps(_replaced(json.loads(body), value))
    return value


SENDGRID = {"email": "a@example.com", "timestamp": 1, **OURS}


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 no such user"}, ("bounced", "hard")),
        ({"event": "bounce", "type": "blocked", "status": "5.1.1", "reason": "550"}, ("bounced", "block")),
        ({"event": "bounce", "type": "bounce", "status": "5.7.1", "reason": "550 refused"}, ("bounced", "block")),
        ({"event": "bounce", "type": "bounce", "reason": "552 5.2.2 full"}, ("bounced", "soft")),
        ({"event": "dropped", "reason": "Bounced Address"}, ("bounced", "suppressed")),
        ({"event": "dropped", "reason": "Spam Content"}, ("bounced", "block")),
        ({"event": "spamreport"}, ("complained", "")),
        ({"event": "group_unsubscribe"}, ("unsubscribed", "")),
        ({"event": "group_resubscribe"}, ("unknown", "")),
    ],
)
def test_sendgrid(event: dict[str, Any], means: tuple[str, str]) -> None:
    assert meaning("sendgrid", [{**SENDGRID, **event}]) == means


def test_a_repeated_sendgrid_event_has_the_same_key() -> None:
    keys = {parse("sendgrid", [{**SENDGRID, "event": "open", "sg_event_id": each}])[0].key for each in ("a", "b")}
    others = {
        parse("sendgrid", [{**SENDGRID, **change}])[0].key
        for change in (
            {"event": "click", "url": "u"},
            {"event": "click", "url": "v"},
            {"event": "open", "timestamp": 2},
        )
    }
    assert len(keys) == 1
    assert len(keys | others) == 4


def test_two_people_without_our_ids_are_two_events_of_sendgrid() -> None:
    rows = [{"event": "bounce", "email": f"{each}@example.com", "sg_message_id": "m", "timestamp": 1} for each in "ab"]
    assert len({told.key for told in parse("sendgrid", rows)}) == 2


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"Type": "HardBounce", "Details": "smtp;550 5.7.1 rejected"}, ("bounced", "block")),
        ({"Type": "BadEmailAddress"}, ("bounced", "hard")),
        ({"Type": "SoftBounce", "Details": "smtp;452 4.2.2 full"}, ("bounced", "soft")),
        ({"Type": "SpamNotification"}, ("bounced", "block")),
        ({"Type": "DMARCPolicy"}, ("bounced", "block")),
        ({"Type": "Transient"}, ("deferred", "")),
        ({"Type": "AutoResponder"}, ("unknown", "")),
        ({"Type": "Subscribe"}, ("unknown", "")),
        ({"Type": "Unsubscribe"}, ("unsubscribed", "")),
        ({"Type": "SpamComplaint"}, ("complained", "")),
        ({"RecordType": "Click"}, ("clicked", "")),
        ({"RecordType": "Inbound"}, ("unknown", "")),
    ],
)
def test_postmark(event: dict[str, Any], means: tuple[str, str]) -> None:
    assert meaning("postmark", {"RecordType": "Bounce", "ID": 5, "MessageID": "m", **event}) == means


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"SuppressionReason": "ManualSuppression", "Origin": "Recipient"}, "unsubscribed"),
        ({"SuppressionReason": "ManualSuppression", "Origin": "Customer"}, "unknown"),
        ({"SuppressionReason": "SpamComplaint", "Origin": "Recipient"}, "complained"),
        ({"SuppressionReason": "ManualSuppression", "Origin": "Admin"}, "unknown"),
        ({"SuppressionReason": "SpamComplaint", "Origin": "Admin"}, "complained"),
        ({"SuppressionReason": "HardBounce", "Origin": "Recipient"}, "bounced"),
        ({"SuppressionReason": "HardBounce", "Origin": "Admin"}, "bounced"),
        ({"SuppressSending": False, "SuppressionReason": None, "Origin": "Recipient"}, "unknown"),
        ({"SuppressSending": False, "SuppressionReason": "HardBounce", "Origin": "Customer"}, "unknown"),
    ],
)
@pytest.mark.requirement("W9")
def test_postmark_reports_whom_it_suppresses(change: dict[str, Any], kind: str) -> None:
    body = {"RecordType": "SubscriptionChange", "SuppressSending": True, "MessageID": "m", **change}
    assert meaning("postmark", body) == (kind, "hard" if kind == "bounced" else "")


def ses(event: Any) -> dict[str, Any]:
    said = event if isinstance(event, str) else json.dumps(event)
    return {"Type": "Notification", "MessageId": "m", "Message": said}


def bounce(how: str, which: str = "General", **recipient: str) -> dict[str, Any]:
    person = {"emailAddress": "a@example.com", **recipient}
    return {"bounceType": how, "bounceSubType": which, "bouncedRecipients": [person]}


FULL = (
    "552 Mailbox full",
    "smtp;552 requested mail action aborted: exceeded storage allocation",
    "550 The email account that you tried to reach is over quota",
    "554 quota exceeded",
    "550 user has exceeded his/her disk quota; account is over quota",
    "452 insufficient system storage",
    "550 5.1.1 mailbox is full",
    "552 message size exceeds fixed maximum message size",
    "554 Message too large",
    "552",
)


@pytest.mark.parametrize("said", FULL)
@pytest.mark.parametrize(
    "make",
    [
        lambda said: ("sendgrid", [{**SENDGRID, "event": "bounce", "type": "bounce", "reason": said}]),
        lambda said: ("postmark", {"RecordType": "Bounce", "Type": "HardBounce", "ID": 1, "Details": said}),
        lambda said: ("ses", ses({"eventType": "Bounce", "bounce": bounce("Permanent", diagnosticCode=said)})),
        lambda said: ("brevo", {"event": "hard_bounce", "reason": said}),
        lambda said: ("sparkpost", [{"msys": {"e": {"type": "bounce", "bounce_class": "10", "raw_reason": said}}}]),
        lambda said: (
            "mailgun",
            {"event-data": {"event": "failed", "severity": "permanent", "delivery-status": {"message": said}}},
        ),
    ],
    ids=["sendgrid", "postmark", "ses", "brevo", "sparkpost", "mailgun"],
)
def test_a_full_mailbox_and_a_mail_too_large_bar_nobody(make: Any, said: str) -> None:
    assert meaning(*make(said)) == ("bounced", "soft")


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("mailgun", {"delivery-status": {"code": 552, "message": ""}}),
        ("mailgun", {"delivery-status": {"code": 550, "enhanced-code": "5.2.2"}}),
        ("mailgun", {"delivery-status": {"code": 550, "bounce-type": "soft"}}),
        ("resend", {"bounce": {"type": "Permanent", "subType": "MailboxFull"}}),
        ("resend", {"bounce": {"type": "Permanent", "subType": "MessageTooLarge"}}),
        ("resend", {"bounce": {"type": "Permanent", "message": "The recipient's mailbox is full."}}),
        ("ses", bounce("Permanent", "MailboxFull")),
        ("ses", bounce("Permanent", "MessageTooLarge")),
        ("sparkpost", {"type": "bounce", "bounce_class": "22", "raw_reason": "550 no"}),
        ("sparkpost", {"type": "bounce", "bounce_class": "23", "raw_reason": "550 no"}),
    ],
)
def test_a_providers_own_name_for_a_full_mailbox_bars_nobody(provider: str, body: dict[str, Any]) -> None:
    whole: dict[str, Any] = {
        "mailgun": {"event-data": {"event": "failed", "severity": "permanent", **body}},
        "resend": {"type": "email.bounced", "data": {"to": ["a@example.com"], **body}},
        "ses": ses({"eventType": "Bounce", "bounce": body}),
        "sparkpost": [{"msys": {"message_event": body}}],
    }
    assert meaning(provider, whole[provider]) == ("bounced", "soft")


LISTED = "The recipient's email address is on the suppression list because it has a recent history of producing {}."


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("email.suppressed", "suppressed"),
        ("email.bounced", "bounce"),
    ],
)
@pytest.mark.parametrize(
    ("why", "listed_for"), [("hard bounces", "bounced"), ("complaints", "complained"), ("it", None)]
)
@pytest.mark.parametrize("types", [{"type": "Suppressed"}, {"type": "Permanent", "subType": "Suppressed"}])
def test_resend_says_why_it_did_not_send(
    name: str, data: str, why: str, listed_for: str | None, types: dict[str, str]
) -> None:
    said = {"to": ["a@example.com"], data: {**types, "message": LISTED.format(why)}}
    (told,) = parse("resend", {"type": name, "data": said})
    assert (told.kind, told.bounce_class, told.listed_for) == ("bounced", "suppressed", listed_for)


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"eventType": "Bounce", "bounce": bounce("Permanent")}, ("bounced", "hard")),
        ({"eventType": "Bounce", "bounce": bounce("Permanent", "OnAccountSuppressionList")}, ("bounced", "suppressed")),
        ({"eventType": "Bounce", "bounce": bounce("Permanent", status="5.7.1")}, ("bounced", "block")),
        ({"eventType": "Bounce", "bounce": bounce("Transient", "MailboxFull")}, ("bounced", "soft")),
        ({"eventType": "Bounce", "bounce": bounce("Undetermined")}, ("bounced", "soft")),
        ({"eventType": "Reject", "reject": {"reason": "Bad content"}}, ("bounced", "block")),
        ({"eventType": "DeliveryDelay", "deliveryDelay": {}}, ("deferred", "")),
        ({"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}}, ("unknown", "")),
        (
            {"eventType": "Complaint", "complaint": {"complaintSubType": "OnAccountSuppressionList"}},
            ("bounced", "suppressed"),
        ),
        (
            {"eventType": "Subscription", "subscription": {"newTopicPreferences": {"unsubscribeAll": True}}},
            ("unsubscribed", ""),
        ),
        (
            {"eventType": "Subscription", "subscription": {"newTopicPreferences": {"unsubscribeAll": False}}},
            ("unknown", ""),
        ),
        ("Successfully validated SNS topic for Amazon SES event publishing.", ("unknown", "")),
        ("[1]", ("unknown", "")),
    ],
)
def test_ses(event: Any, means: tuple[str, str]) -> None:
    assert meaning("ses", ses(event)) == means


@pytest.mark.requirement("W4")
def test_ses_names_whom_the_event_is_about_and_not_to_whom_the_mail_went() -> None:
    """Two of three bounced, so there are two events."""
    people = [{"emailAddress": "b@example.com"}, {"emailAddress": "c@example.com"}]
    mail = {"destination": ["a@example.com", "b@example.com", "c@example.com"]}
    body = ses({"eventType": "Bounce", "mail": mail, "bounce": {**bounce("Permanent"), "bouncedRecipients": people}})
    told = parse("ses", body)
    assert [each.address for each in told] == ["b@example.com", "c@example.com"]
    assert len({each.key for each in told}) == 2


@pytest.mark.parametrize(
    ("name", "data", "means"),
    [
        ("email.bounced", {"bounce": {"type": "Permanent", "message": "no"}}, ("bounced", "hard")),
        ("email.bounced", {"bounce": {"type": "Permanent", "subType": "Suppressed"}}, ("bounced", "suppressed")),
        ("email.bounced", {"bounce": {"type": "Permanent", "message": "550 5.7.26 no proof"}}, ("bounced", "block")),
        ("email.bounced", {"bounce": {"type": "Transient"}}, ("bounced", "soft")),
        ("email.failed", {"failed": {"reason": "quota"}}, ("bounced", "block")),
        ("email.suppressed", {}, ("bounced", "suppressed")),
        ("email.complained", {}, ("complained", "")),
        ("email.scheduled", {}, ("unknown", "")),
        ("contact.updated", {}, ("unknown", "")),
    ],
)
def test_resend(name: str, data: dict[str, Any], means: tuple[str, str]) -> None:
    assert meaning("resend", {"type": name, "data": {"to": ["a@example.com"], **data}}) == means


def test_resend_gives_tags_back_in_either_form() -> None:
    rows = [{"name": name, "value": value} for name, value in OURS.items()]
    (told,) = parse("resend", {"type": "email.sent", "data": {"to": "a@example.com", "tags": rows}})
    assert (told.delivery, told.batch, told.address) == (7, "1-1-ab", "a@example.com")


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"event": "soft_bounce", "reason": "mailbox busy"}, ("bounced", "soft")),
        ({"event": "invalid_email"}, ("bounced", "hard")),
        ({"event": "hard_bounce", "reason": "550 5.7.1 policy"}, ("bounced", "block")),
        ({"event": "error"}, ("bounced", "block")),
        ({"event": "deferred"}, ("deferred", "")),
        ({"event": "spam"}, ("complained", "")),
        ({"event": "unsubscribed"}, ("unsubscribed", "")),
        ({"event": "unique_proxy_open"}, ("opened", "")),
    ],
)
def test_brevo(event: dict[str, Any], means: tuple[str, str]) -> None:
    assert meaning("brevo", event) == means


@pytest.mark.parametrize("said", [OURS, json.dumps(OURS), "delivery:7|batch:1-1-ab"])
def test_brevo_gives_our_header_back_in_any_form(said: object) -> None:
    (told,) = parse("brevo", {"event": "delivered", "X-Mailin-custom": said})
    assert (told.delivery, told.batch) == (7, "1-1-ab")


@pytest.mark.parametrize("said", ["{broken", "[1]", 5, None])
def test_a_header_of_brevo_that_cannot_be_read_names_nobody(said: object) -> None:
    (told,) = parse("brevo", {"event": "delivered", "X-Mailin-custom": said})
    assert (told.delivery, told.batch) == (None, "")


def test_brevo_may_send_many_at_once() -> None:
    told = parse("brevo", [{"event": "request", "email": f"p{n}@example.com"} for n in range(500)])
    assert len({each.key for each in told}) == 500


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"type": "bounce", "bounce_class": "10", "raw_reason": "550 5.1.1 no"}, ("bounced", "hard")),
        ({"type": "bounce", "bounce_class": 30}, ("bounced", "hard")),
        ({"type": "out_of_band", "bounce_class": "10", "raw_reason": "550 5.7.1 no"}, ("bounced", "block")),
        ({"type": "bounce", "bounce_class": "22"}, ("bounced", "soft")),
        ({"type": "bounce", "bounce_class": "51"}, ("bounced", "block")),
        ({"type": "bounce", "bounce_class": "90"}, ("unsubscribed", "")),
        ({"type": "policy_rejection"}, ("bounced", "block")),
        ({"type": "spam_complaint"}, ("complained", "")),
        ({"type": "spam_complaint", "fbtype": "not-spam"}, ("unknown", "")),
        ({"type": "list_unsubscribe"}, ("unsubscribed", "")),
        ({"type": "relay_delivery"}, ("unknown", "")),
    ],
)
def test_sparkpost(event: dict[str, Any], means: tuple[str, str]) -> None:
    assert meaning("sparkpost", [{"msys": {"message_event": event}}]) == means


def test_the_test_call_of_sparkpost_is_not_an_event() -> None:
    assert parse("sparkpost", [{"msys": {}}, {"msys": None}]) == []


MAILJET = {"time": 1, "MessageID": 5, "email": "a@example.com", "Payload": "7 1-1-ab"}


@pytest.mark.parametrize(
    ("event", "means"),
    [
        (
            {"event": "bounce", "hard_bounce": True, "error_related_to": "recipient", "error": "user unknown"},
            "bounced hard",
        ),
        (
            {"event": "bounce", "hard_bounce": False, "error_related_to": "recipient", "error": "user unknown"},
            "bounced soft",
        ),
        (
            {"event": "bounce", "hard_bounce": True, "error": "mailbox inactive", "comment": "550 5.7.1 no"},
            "bounced block",
        ),
        ({"event": "bounce", "hard_bounce": True, "error": "quota exceeded"}, "bounced soft"),
        (
            {"event": "bounce", "hard_bounce": True, "error_related_to": "domain", "error": "no mail host"},
            "bounced hard",
        ),
        (
            {"event": "bounce", "hard_bounce": True, "error_related_to": "domain", "error": "relay/access denied"},
            "bounced block",
        ),
        (
            {"event": "bounce", "hard_bounce": True, "error_related_to": "recipient", "error": "a new one"},
            "bounced hard",
        ),
        ({"event": "bounce", "hard_bounce": False, "error": "greylisted"}, "deferred "),
        (
            {"event": "bounce", "hard_bounce": True, "error_related_to": "spam", "error": "policy issue"},
            "bounced block",
        ),
        ({"event": "bounce", "error_related_to": "system", "error": "connection issue"}, "bounced soft"),
        ({"event": "blocked", "error_related_to": "mailjet", "error": "preblocked"}, "bounced suppressed"),
        ({"event": "blocked", "error_related_to": "recipient", "error": "user unknown"}, "bounced suppressed"),
        ({"event": "blocked", "error_related_to": "recipient", "error": "spam reporter"}, "bounced suppressed"),
        ({"event": "spam", "source": "JMRPP"}, "complained "),
        ({"event": "unsub", "mj_list_id": 1}, "unsubscribed "),
        ({"event": "open"}, "opened "),
        ({"event": "click", "url": "https://example.org"}, "clicked "),
        ({"event": "something new"}, "unknown "),
    ],
)
def test_mailjet(event: dict[str, Any], means: str) -> None:
    assert " ".join(meaning("mailjet", [{**MAILJET, **event}])) == means


def test_mailjet_sends_one_event_or_many_and_clicks_are_ignored() -> None:
    (alone,) = parse("mailjet", {**MAILJET, "event": "sent"})
    assert (alone.delivery, alone.batch) == (7, "1-1-ab")
    clicks = parse("mailjet", [{**MAILJET, "event": "click", "url": f"https://example.org/{n}"} for n in range(3)])
    assert len({told.key for told in clicks}) == 3


def test_mailjet_without_our_payload_is_found_by_our_id() -> None:
    (told,) = parse("mailjet", {"event": "sent", "time": 1, "email": "a@example.com", "CustomID": "7"})
    assert (told.delivery, told.batch, len(told.key)) == (7, "", 64)


def mailersend(name: str, **meta: Any) -> dict[str, Any]:
    return {"type": name, "data": {"id": "1", "recipient": "a@example.com", "meta": meta or []}}


@pytest.mark.parametrize(
    ("event", "means"),
    [
        (mailersend("activity.sent"), ("accepted", "")),
        (mailersend("activity.deferred", bounce_reason="451 4.3.0 later"), ("deferred", "")),
        (mailersend("activity.hard_bounced", bounce_code="550", bounce_reason="5.1.1 no user"), ("bounced", "hard")),
        (mailersend("activity.hard_bounced", bounce_reason="Host or domain name not found"), ("bounced", "hard")),
        (mailersend("activity.hard_bounced", bounce_code=550, bounce_reason="5.7.1 refused"), ("bounced", "block")),
        (mailersend("activity.soft_bounced", bounce_code="552", bounce_reason="full"), ("bounced", "soft")),
        (mailersend("activity.soft_bounced", bounce_reason="Unknown reason"), ("bounced", "soft")),
        (mailersend("activity.suppressed", suppression_reason="hard_bounced"), ("bounced", "suppressed")),
        (mailersend("activity.suppressed", suppression_reason="blocklisted"), ("bounced", "suppressed")),
        (mailersend("activity.suppressed", suppression_reason="on_hold"), ("bounced", "suppressed")),
        (mailersend("activity.suppressed", suppression_reason="unsubscribed"), ("bounced", "suppressed")),
        (mailersend("activity.suppressed", suppression_reason="spam_complained"), ("bounced", "suppressed")),
        (mailersend("activity.spam_complaint"), ("complained", "")),
        (mailersend("activity.unsubscribed", unsubscribe_reason="too many"), ("unsubscribed", "")),
        (mailersend("activity.opened_unique"), ("opened", "")),
        (mailersend("activity.clicked"), ("clicked", "")),
        (mailersend("maintenance.start"), ("unknown", "")),
        (mailersend("bulk_email.completed"), ("unknown", "")),
    ],
)
def test_mailersend(event: dict[str, Any], means: tuple[str, str]) -> None:
    assert meaning("mailersend", event) == means


@pytest.mark.parametrize("address", ["recipient", "email"])
def test_mailersend_names_the_address_in_either_field(address: str) -> None:
    (told,) = parse("mailersend", {"type": "activity.delivered", "data": {"id": "1", address: "ana@example.com"}})
    assert told.address == "ana@example.com"


def test_the_older_form_of_mailersends_webhooks_is_read_too() -> None:
    email = {"message": {"id": "m1"}, "recipient": {"email": "ana@example.com"}, "tags": ["x", "batch_1-1-ab"]}
    morph = {"object": "recipient_bounce", "reason": "550 5.1.1 no such user"}
    data = {"id": "1", "type": "hard_bounced", "created_at": "2027-03-04T09:00:00Z", "email": email, "morph": morph}
    (told,) = parse("mailersend", {"type": "activity.hard_bounced", "data": data})
    assert (told.address, told.batch, told.provider_id) == ("ana@example.com", "1-1-ab", "m1")
    assert (told.bounce_class.value, told.status, told.at) == ("hard", "5.1.1", AT)


def test_the_test_call_of_mailersend_is_not_an_event() -> None:
    assert parse("mailersend", {"type": "webhook.test", "message": "This is a ping test message"}) == []


def scaleway(name: str, **more: Any) -> dict[str, Any]:
    return ses({"id": "1", "type": name, "email_to": "a@example.com", **more})


def refused(code: int, message: str) -> dict[str, Any]:
    return {"email_response_code": code, "email_response_message": message}


@pytest.mark.parametrize(
    ("event", "means"),
    [
        (scaleway("email_queued"), ("accepted", "")),
        (scaleway("email_deferred", **refused(451, "4.3.0 later")), ("deferred", "")),
        (scaleway("email_dropped", **refused(550, "5.1.1 no such user")), ("bounced", "hard")),
        (scaleway("email_dropped", email_error="550 5.1.10 no such user"), ("bounced", "hard")),
        (scaleway("email_dropped", **refused(550, "5.7.1 refused")), ("bounced", "block")),
        (scaleway("email_dropped", **refused(552, "5.2.2 full")), ("bounced", "soft")),
        (scaleway("email_dropped"), ("bounced", "soft")),
        (scaleway("email_mailbox_not_found", **refused(550, "no such user")), ("bounced", "hard")),
        (scaleway("email_spam", **refused(571, "5.7.1 listed as spam")), ("bounced", "block")),
        (scaleway("email_spam", **refused(550, "5.1.1 spam")), ("bounced", "block")),
        (scaleway("email_blocklisted", blocklist_type="mailbox_not_found"), ("bounced", "suppressed")),
        (scaleway("email_blocklisted", blocklist_type="mailbox_full"), ("bounced", "suppressed")),
        (scaleway("email_blocklisted", blocklist_type="other"), ("bounced", "suppressed")),
        (scaleway("blocklist_created", blocklist_type="mailbox_not_found"), ("unknown", "")),
        (ses("This is a test of the topic."), ("unknown", "")),
    ],
)
def test_scaleway(event: dict[str, Any], means: tuple[str, str]) -> None:
    assert meaning("scaleway", event) == means


@pytest.mark.parametrize(
    ("said", "bounce_class"),
    [
        ("", "hard"),
        ("421 try later", "soft"),
        ("550 user unknown", "hard"),
        ("550 5.4.4 no route", "soft"),
        ("550 message looks like spam", "block"),
    ],
)
def test_the_text_of_a_server_decides_the_class_of_a_bounce(said: str, bounce_class: str) -> None:
    assert classify_bounce(said, fallback=BounceClass.HARD) == bounce_class
