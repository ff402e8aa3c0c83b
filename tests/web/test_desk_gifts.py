"""Gifts in the desk and the API: a file, a call, and the report that says what an issue raised."""

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from newsletter.api_keys import make_key
from newsletter.desk.publications.brand_forms import HostsField
from newsletter.issues.approval.approve import approve_issue
from newsletter.models import Batch, Brand, Gift, Issue, Publication, Send
from newsletter.sending.freezing.start import start_send
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db
PAGE = "/admin/results/gifts/"
FILE = (
    b"id,amount,currency,date,utm_campaign,utm_content\n"
    b"1,1240,GBP,2026-03-06,weekly-1,footer\n2,10,GBP,2026-03-06,poster,\n3,nothing,GBP,2026-03-06,weekly-1,\n"
)


@pytest.fixture
def sent(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send = start_send(issue=issue, now=NOW)
    Batch.objects.filter(send=send).update(state="accepted", settled_at=NOW)
    Send.objects.filter(pk=send.pk).update(state="submitted", ended_at=NOW)
    return issue


def test_a_file_of_gifts_is_added_and_the_report_says_what_was_raised(sent: Issue) -> None:
    client = sign_in("approver")
    assert PAGE in client.get("/admin/results/").content.decode()
    page = client.post(PAGE, {"file": SimpleUploadedFile("gifts.csv", FILE)}).content.decode()
    assert "1 gift was added. 1 came by no issue." in page
    assert "Line 4: “nothing” is not an amount; write it like 12.50." in page
    report = client.get(f"/admin/issues/{sent.pk}/report/").content.decode()
    assert "This issue raised £1,240.00" in report
    assert "Links at the foot of the mail" in report
    table = client.get(f"/admin/issues/{sent.pk}/report/?as=csv").content.decode()
    assert "footer,GBP,1240.00,1" in table


def test_the_error_of_another_file_names_the_columns_of_gifts() -> None:
    client = sign_in("approver")
    page = client.post(PAGE, {"file": SimpleUploadedFile("gifts.csv", b"a,b\n1,2\n")})
    assert page.status_code == 400
    assert "Its first line must name the columns" in page.content.decode()
    assert "Choose a file." in client.post(PAGE, {}).content.decode()


def test_an_empty_file_of_gifts_says_what_to_do() -> None:
    page = sign_in("approver").post(PAGE, {"file": SimpleUploadedFile("gifts.csv", b"")}).content.decode()
    assert "The file is empty. Save it again" in page


def test_the_page_says_whether_links_carry_the_issue() -> None:
    client = sign_in("approver")
    assert "You have not named a donation page yet" in client.get(PAGE).content.decode()
    Brand.objects.create(slug="own", name="Open Door", gift_hosts=["give.example.org"])
    assert "Links to give.example.org contain both." in client.get(PAGE).content.decode()


def test_a_donation_system_reports_gifts_by_its_own_scope(sent: Issue) -> None:
    body = {
        "gifts": [
            {"id": "1", "amount": "12.50", "currency": "GBP", "date": "2026-03-06", "utm_campaign": "weekly-1"},
            {"id": "2", "amount": "0", "currency": "GBP", "date": "2026-03-06", "utm_campaign": "weekly-1"},
        ]
    }
    answers = {}
    for scope in ("gifts", "people read"):
        key = make_key(name=scope, scope=scope, by="admin@example.org", now=timezone.now())[1]
        headers = {"Authorization": f"Bearer {key}"}
        answers[scope] = Client().post("/api/v1/gifts", body, content_type="application/json", headers=headers)
    assert answers["people read"].status_code == 403
    added = answers["gifts"].json()
    assert (added["new"], added["refused"], added["rows"][0]["row"]) == (1, 1, 1)
    assert Gift.objects.get().added_by == "API: gifts"


def test_the_brands_form_takes_hosts_of_donation_pages() -> None:
    field = HostsField(required=False)
    assert field.clean("https://Give.example.org/now\ngive.example.org") == ["give.example.org"]
    with pytest.raises(ValidationError, match="Line 2: write the host of a page"):
        field.clean("give.example.org\nno host")
