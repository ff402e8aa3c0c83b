"""Mailgun's webhooks: only real and fresh ones count, and each event gets one meaning."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.events import BounceClass, FeedbackKind
from newsletter.providers.mailgun.webhooks import parse_mailgun, verify_mailgun
from tests.support.provider_fixtures import corpus
from tests.support.provider_webhooks import SIGNING_KEY, mailgun_event, sign_mailgun

NOW = datetime(2027, 3, 4, 9, 0, tzinfo=UTC)
EVENT = mailgun_event("delivered", address="ana@example.com", delivery=7, batch="batch-1", at=NOW)


def parse(event: dict[str, Any]):  # type: ignore[no-untyped-def]
    (feedback,) = parse_mailgun(json.dumps({"event-data": event}).encode())
    return feedback


def test_a_webhook_signed_with_our_key_is_real_and_names_its_token() -> None:
    assert verify_mailgun(sign_mailgun(EVENT, now=NOW, token="abc"), signing_key=SIGNING_KEY, now=NOW) == "abc"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (sign_mailgun(EVENT, now=NOW, key="another key"), "signature is wrong"),
        (b'{"event-data": {"event": "delivered"}}', "has no signature"),
        (b'{"signature": "x", "event-data": {}}', "has no signature"),
        (b'{"signature": {}, "event-data": {}}', "cannot be read"),
        (b'{"signature": {"timestamp": "1", "token": 5, "signature": "x"}}', "cannot be read"),
        (b'{"signature": {"timestamp": "12e5", "token": "t", "signature": "x"}}', "cannot be read"),
        (b'{"signature": {"timestamp": "1", "token": "t", "signature": "\\ud800"}}', "not JSON"),
        (b'{"signature": {"timestamp": "1", "token": "t", "signature": "\xc3\xa4"}}', "signature is wrong"),
        (b"", "not JSON.* Check that only the provider posts"),
        (b"timestamp=1&token=t&signature=s", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "Mailgun's form.* let only the webhook that is meant"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, "nested more than 20.* Check that only the provider posts"),
        (b"[" * 200_000, "not JSON"),
    ],
    ids=range(14),
)
def test_a_forged_or_unreadable_webhook_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(BadWebhook, match=says):
        verify_mailgun(body, signing_key=SIGNING_KEY, now=NOW)


@pytest.mark.requirement("W1")
def test_while_one_key_replaces_another_both_are_believed() -> None:
    body = sign_mailgun(EVENT, now=NOW, token="abc", key="the old key")
    assert verify_mailgun(body, signing_key="the new key,the old key", now=NOW) == "abc"


def test_without_a_signing_key_every_webhook_is_refused() -> None:
    with pytest.raises(BadWebhook, match="No webhook key of Mailgun"):
        verify_mailgun(sign_mailgun(EVENT, now=NOW, key=""), signing_key="", now=NOW)


@pytest.mark.parametrize("age", [timedelta(hours=25), timedelta(days=4000), -timedelta(hours=1)])
def test_a_signature_of_another_time_is_refused(age: timedelta) -> None:
    with pytest.raises(BadWebhook, match="too old"):
        verify_mailgun(sign_mailgun(EVENT, now=NOW - age), signing_key=SIGNING_KEY, now=NOW)


def test_a_webhook_that_was_retried_for_some_hours_is_still_real() -> None:
    body = sign_mailgun(EVENT, now=NOW - timedelta(hours=8), token="abc")
    assert verify_mailgun(body, signing_key=SIGNING_KEY, now=NOW) == "abc"


def test_an_event_carries_our_ids_back() -> None:
    feedback = parse(EVENT)
    assert (feedback.provider, feedback.kind, feedback.address) == (
        "mailgun",
        FeedbackKind.DELIVERED,
        "ana@example.com",
    )
    assert (feedback.delivery, feedback.batch, feedback.at) == (7, "batch-1", NOW)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("accepted", "accepted"),
        ("delivered", "delivered"),
        ("complained", "complained"),
        ("unsubscribed", "unsubscribed"),
        ("opened", "opened"),
        ("clicked", "clicked"),
        ("list_member_uploaded", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
        ({"x": 1}, "unknown"),
    ],
)
def test_each_event_has_one_plain_meaning(name: object, kind: str) -> None:
    feedback = parse({**EVENT, "event": name})
    assert (feedback.kind, feedback.bounce_class) == (kind, BounceClass.NONE)


def test_a_temporary_failure_is_a_delay_and_no_bounce() -> None:
    feedback = parse(
        {
            **EVENT,
            "event": "failed",
            "severity": "temporary",
            "delivery-status": {"code": 450, "description": "Greylisted"},
        }
    )
    assert (feedback.kind, feedback.bounce_class, feedback.reason) == ("deferred", "", "Greylisted")


@pytest.mark.parametrize(
    ("reason", "code", "message", "bounce_class"),
    [
        ("bounce", 550, "5.1.1 The email account does not exist", "hard"),
        ("bounce", 550, "550 5.1.10 Recipient not found", "hard"),
        ("generic", 550, "No such user here", "hard"),
        ("bounce", 552, "5.2.2 The mailbox is full", "soft"),
        ("bounce", 552, "5.3.4 Message too big", "soft"),
        ("generic", 451, "4.3.0 Try later", "soft"),
        ("old", 602, "Too old", "soft"),
        ("generic", 421, "service not available", "soft"),
        ("bounce", 550, "5.7.1 Message rejected due to policy", "block"),
        ("bounce", 554, "Message blocked: poor sender reputation", "block"),
        ("espblock", 605, "", "block"),
        ("suppress-bounce", 605, "Not delivering to previously bounced address", "suppressed"),
        ("suppress-complaint", 607, "", "suppressed"),
        ("suppress-unsubscribe", 606, "", "suppressed"),
    ],
)
@pytest.mark.requirement("S2")
def test_a_bounce_is_hard_only_if_the_address_is_dead(reason: str, code: int, message: str, bounce_class: str) -> None:
    """Block and policy never count as hard."""
    event = {
        **EVENT,
        "event": "failed",
        "severity": "permanent",
        "reason": reason,
        "delivery-status": {"code": code, "message": message},
    }
    feedback = parse(event)
    assert (feedback.kind, feedback.bounce_class) == ("bounced", bounce_class)


@pytest.mark.parametrize(
    "changes",
    [
        {"user-variables": None},
        {"user-variables": {"delivery": "7; DROP TABLE"}},
        {"user-variables": {"delivery": True}},
        {"user-variables": {"delivery": "9" * 40}},
        {"user-variables": [1]},
    ],
)
def test_an_id_that_is_not_ours_is_ignored(changes: dict[str, Any]) -> None:
    assert parse({**EVENT, **changes}).delivery is None


def test_an_id_that_comes_back_as_a_number_is_ours_too() -> None:
    assert parse({**EVENT, "user-variables": {"delivery": 7}}).delivery == 7


@pytest.mark.parametrize("at", [None, "yesterday", True, -5, 1e300, [], "1614848400"])
def test_an_invalid_time_is_left_out(at: object) -> None:
    assert parse({**EVENT, "timestamp": at}).at is None


def test_a_time_that_json_does_not_know_makes_the_whole_body_unreadable() -> None:
    with pytest.raises(BadWebhook, match="not JSON"):
        parse_mailgun(b'{"event-data": {"event": "opened", "timestamp": NaN}}')


def test_an_event_without_an_id_gets_the_same_key_each_time() -> None:
    nameless = {name: value for name, value in EVENT.items() if name != "id"}
    assert parse(nameless).key == parse(nameless).key
    assert parse(nameless).key != parse({**nameless, "recipient": "bo@example.com"}).key


@pytest.mark.requirement("W10")
def test_words_from_outside_are_cut_to_one_line_of_a_bearable_length() -> None:
    said = "<script>alert(1)</script>\r\n" + "x" * 10_000
    reason = parse(
        {**EVENT, "event": "failed", "severity": "permanent", "delivery-status": {"description": said}}
    ).reason
    assert "\n" not in reason
    assert len(reason) <= 500


def test_a_body_without_event_data_is_refused() -> None:
    with pytest.raises(BadWebhook, match="Mailgun's form"):
        parse_mailgun(b'{"event": "delivered"}')


EXPECTED = {"bounced": "bounced", "deferred": "deferred", "complained": "complained", "opened": "opened"}


@pytest.mark.requirement("S2")
def test_real_payloads_get_the_meaning_that_others_give_them() -> None:
    """Use payloads from other people's collections."""
    cases = [
        case for case in json.loads(corpus("webhooks", "mailgun.json").read_text()) if "Legacy" not in case["class"]
    ]
    compared = 0
    for case in cases:
        (payload,) = case["payloads"].values()
        (feedback,) = parse_mailgun(json.dumps(payload).encode())
        expected = dict(case["anymail_expects"])
        if "event.event_type" in expected:
            compared += 1
            assert feedback.kind == EXPECTED[expected["event.event_type"]], case["test"]
            assert feedback.address == expected.get("event.recipient", feedback.address)
    assert compared == 4


def test_the_old_form_encoded_webhooks_are_refused_and_not_half_understood() -> None:
    legacy = [case for case in json.loads(corpus("webhooks", "mailgun.json").read_text()) if "Legacy" in case["class"]]
    for case in legacy:
        with pytest.raises(BadWebhook):
            parse_mailgun(json.dumps(case["payloads"]["raw_event"]).encode())
    assert len(legacy) >= 5
