"""Administrators add, test, change and remove webhooks, and see what each receiver answered."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.models import AuditEntry
from newsletter.outbound.endpoints import send_test
from subscribers.models import EventKind, OutboundEvent, WebhookDelivery, WebhookEndpoint
from tests.support.desk import sign_in
from tests.support.people import NOW
from tests.support.webhooks import make_endpoint

pytestmark = pytest.mark.django_db
PAGE = "/admin/webhooks/"


@pytest.fixture
def admin(settings) -> Client:
    settings.NEWSLETTER_FETCH_ALLOW = ["127.0.0.1"]
    return sign_in("admin")


def test_a_webhook_is_added_and_its_secret_is_shown_once(admin: Client) -> None:
    assert "There are no webhooks yet" in admin.get(PAGE).content.decode()
    given = {"name": "Donor database", "url": "http://127.0.0.1:9/hooks", "kinds": ["person.erased"]}
    added = admin.post(PAGE, given)
    secret = re.search(r"whsec_[\w+/=]+", added.content.decode())
    assert secret is not None
    assert "no-store" in added["Cache-Control"]
    assert "whsec_" not in admin.get(PAGE).content.decode()
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.kinds == ["person.erased"]
    assert secret[0] not in str(list(WebhookEndpoint.objects.values()))
    assert "A person was erased" in admin.get(f"{PAGE}{endpoint.pk}/").content.decode()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"name": "", "url": "http://127.0.0.1:9/"}, "This field is required"),
        ({"name": "A", "url": "ftp://127.0.0.1/"}, "http"),
        ({"name": "A", "url": "http://10.0.0.1/"}, "private network"),
        ({"name": "A", "url": "https://127.0.0.1:9/", "kinds": ["nothing"]}, "nothing"),
    ],
)
def test_a_wrong_webhook_is_refused_at_its_field(admin: Client, given: dict[str, object], reason: str) -> None:
    page = admin.post(PAGE, given)
    assert page.status_code == 400
    assert reason in page.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_each_step_of_a_webhook_does_what_its_button_says(admin: Client) -> None:
    endpoint = make_endpoint()
    page = f"{PAGE}{endpoint.pk}/"
    admin.post(page, {"step": "test"})
    assert WebhookDelivery.objects.get().event.kind == "test"
    assert "Waiting" in admin.get(page).content.decode()
    admin.post(page, {"step": "off"})
    assert (WebhookEndpoint.objects.get().state, WebhookDelivery.objects.count()) == ("off", 0)
    admin.post(page, {"step": "on"})
    assert WebhookEndpoint.objects.get().state == "active"
    assert "whsec_" in admin.post(page, {"step": "rotate"}).content.decode()
    assert WebhookEndpoint.objects.get().old_secret_until is not None
    admin.post(page, {"step": "save", "name": "CRM", "url": endpoint.url, "kinds": ["issue.sent"]})
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.kinds) == ("CRM", ["issue.sent"])
    admin.post(page, {"step": "remove"})
    assert not WebhookEndpoint.objects.exists()
    actions = AuditEntry.objects.filter(action__startswith="newsletter.webhook_").order_by("pk")
    names = ["test", "off", "on", "secret", "changed", "removed"]
    assert [entry.action for entry in actions] == [f"newsletter.webhook_{name}" for name in names]


def test_a_new_address_shows_its_new_secret_once(admin: Client) -> None:
    endpoint = make_endpoint()
    page = f"{PAGE}{endpoint.pk}/"
    saved = admin.post(page, {"step": "save", "name": "CRM", "url": "http://127.0.0.1:9/moved"})
    assert "whsec_" in saved.content.decode()
    assert "the old secret signs nothing any more" in saved.content.decode()
    assert "no-store" in saved["Cache-Control"]
    assert "http://127.0.0.1:9/moved" in saved.content.decode()
    assert "whsec_" not in admin.get(page).content.decode()
    actions = AuditEntry.objects.filter(action__startswith="newsletter.webhook_").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["newsletter.webhook_changed", "newsletter.webhook_secret"]


def test_staff_send_messages_again_by_id_or_moment(admin: Client) -> None:
    endpoint = make_endpoint()
    page = f"{PAGE}{endpoint.pk}/"
    delivery = send_test(endpoint=endpoint, now=timezone.now())
    WebhookDelivery.objects.update(state="delivered", attempts=1, status=204, milliseconds=12)
    shown = admin.get(page).content.decode()
    OutboundEvent.objects.update(kind="issue.sent")
    message_id = f"evt_{OutboundEvent.objects.get().uid.hex}"
    assert message_id in shown
    assert "204 in 12 ms" in shown
    admin.post(page, {"step": "replay", "message_id": message_id})
    delivery.refresh_from_db()
    assert delivery.state == "pending"
    WebhookDelivery.objects.update(state="delivered", attempts=1, status=204, milliseconds=12)
    later = f"{timezone.localtime() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    admin.post(page, {"step": "replay", "since": later})
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert admin.post(page, {"step": "replay", "since": "2026-03-05T09:00"}).status_code == 302
    delivery.refresh_from_db()
    assert delivery.state == "pending"
    for wrong in ({}, {"message_id": message_id, "since": "2026-03-05T09:00"}, {"message_id": "evt_1"}):
        assert admin.post(page, {"step": "replay", **wrong}).status_code == 400


def test_home_names_a_webhook_that_rests_to_administrators(admin: Client) -> None:
    make_endpoint(state="stopped", failures=3, failing_since=NOW)
    task = "“Donor database” accepts no webhooks"
    assert task in admin.get("/admin/").content.decode()
    assert task not in sign_in("editor").get("/admin/").content.decode()


def test_the_reference_names_every_event() -> None:
    text = (Path(__file__).parents[2] / "docs/reference/webhooks.md").read_text()
    assert [kind for kind in EventKind.values if f"`{kind}`" not in text] == []
