"""The example's extensions at work: story, block, check, provider and translation, from the source to the reader."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.content.ingesting.ingest import ingest_source
from newsletter.issues.approval.approve import approve_issue
from newsletter.models import Batch, Issue, Publication, Send, Source, Story, Variant
from newsletter.organisation.health.configuration import check_extensions
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.testing.loopback import serve_loopback
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.web_site import serve_site

pytestmark = pytest.mark.django_db
THANKS = {
    "type": "thank_you",
    "id": "0b6e0a0c-0000-4000-8000-000000000001",
    "value": {
        "heading": "Thank you for 214 court dates",
        "text": "Your gifts paid for the ferry.",
        "url": "",
        "show_to": {},
    },
}


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    made = make_issue(publication)
    made.body = json.dumps([*made.body.raw_data, THANKS])
    made.save()
    return Issue.objects.get(pk=made.pk)


def test_every_extension_is_loaded() -> None:
    assert [finding.level for finding in check_extensions()] == ["ok"]


def test_a_row_of_the_spreadsheet_becomes_a_story() -> None:
    with serve_site() as site:
        url = site.put(
            "/news.csv", "title,link,date\nThe clinic opens,/clinic,2026-03-02\nNo link,,\nOld,/old,yesterday\n"
        )
        source = Source.objects.create(name="Our table", kind="spreadsheet", url=url)
        report = ingest_source(source=source, now=NOW)
    assert (report.error, report.new) == ("", 1)
    assert [aside.entry for aside in report.set_aside] == ["No link", "Old"]
    assert Story.objects.get().title == "The clinic opens"
    page = sign_in("editor").get("/admin/sources/").content.decode()
    assert "Spreadsheet (CSV)" in page
    assert "Spreadsheet (CSV)" in sign_in("editor").get(f"/admin/sources/edit/{source.pk}/").content.decode()


def test_the_block_is_in_the_editor_the_preview_and_both_parts(issue: Issue) -> None:
    editor = sign_in("editor").get(f"/admin/issues/edit/{issue.pk}/").content.decode()
    assert "What donations made possible." in editor
    assert "Not available" not in editor
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    for variant in Variant.objects.all():
        assert "Thank you for 214 court dates" in variant.html
        assert "Thank you for 214 court dates\nYour gifts paid for the ferry." in variant.text


def test_the_check_is_shown_before_the_approval(issue: Issue) -> None:
    shouted = {**THANKS, "value": {**THANKS["value"], "heading": "THANK YOU ALL SO MUCH"}}  # type: ignore[dict-item]
    issue.body = json.dumps([*issue.body.raw_data[:-1], shouted])
    issue.save()
    page = sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert "“THANK YOU ALL SO MUCH” is in capitals. Write it in small letters." in page


@pytest.mark.django_db(transaction=True)
def test_the_provider_sends_to_everybody_once(issue: Issue, settings: Any) -> None:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    with serve_loopback() as relay:
        relay.answer = (200, b'{"id": "r-1", "accepted": 3}')
        settings.NEWSLETTER_PROVIDER_URL = f"relay://k3y@?endpoint={relay.url}"
        settings.NEWSLETTER_PRODUCTION = True
        send = start_send(issue=issue, now=NOW)
        run_send(send=send, adapter=current_adapter(), clock=lambda: NOW)
        sent = [message["to"] for body in relay.bodies for message in json.loads(body)["messages"]]
    assert sorted(sent) == [f"person{number}@example.com" for number in range(3)]
    assert Send.objects.get().state == Send.State.SUBMITTED
    assert {batch.state for batch in Batch.objects.all()} == {Batch.State.ACCEPTED}


def test_the_set_up_offers_the_provider() -> None:
    assert "Our relay" in sign_in("admin").get("/admin/setup/provider/").content.decode()


def test_readers_can_sign_up_in_the_new_language(publication: Publication) -> None:
    assert "it" in OFFERED_LANGUAGES
    path = reverse("join", args=[publication.mailing_list.slug])
    page = Client().get(path, headers={"accept-language": "it"}).content.decode()
    assert 'lang="it"' in page
    assert "Iscrivimi" in page
    assert "Iscrivimi" not in Client().get(path, headers={"accept-language": "de"}).content.decode()
