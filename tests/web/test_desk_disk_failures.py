"""The disk of the server fails while staff do something: the page says so, and nothing is half done."""

import logging
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from wagtail.images.models import Image

from newsletter.desk.preview import panel
from newsletter.models import Issue, Publication
from tests.support.desk import sign_in
from tests.support.drawing import draw
from tests.support.fixtures import add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db
NOT_DONE = "The server could not read or write a file ({}), so this was not done. Try again in a minute."


@pytest.fixture
def issue(publication: Publication, settings: LazySettings, tmp_path: Path) -> Issue:
    """Return an issue with an image whose first byte cannot be read: an error of the disk."""
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "broken.png").symlink_to("/proc/self/mem")
    image = Image.objects.create(title="Harbour", file="broken.png", width=10, height=10)
    Issue.objects.filter(pk=issue.pk).update(
        body=f'[{{"type": "picture", "id": "a", "value": {{"image": {image.pk}, "alt": "A harbour"}}}}]'
    )
    return Issue.objects.get(pk=issue.pk)


def sign_in_to_failures(role: str) -> Client:
    """Return a client that gets the page of an error, and does not raise the error."""
    client = sign_in(role)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("step", ["approve", "proof", "ask"])
def test_a_step_of_an_issue_says_that_the_disk_failed(issue: Issue, step: str) -> None:
    client = sign_in_to_failures("approver")
    make_approver("another@example.org")
    fields = {"sha256": "0" * 64, "audience": "0" * 64, "people": "3"}
    answer = client.post(f"/admin/issues/{issue.pk}/{step}/", fields, follow=True)
    assert answer.status_code == 200
    assert NOT_DONE.format("Input/output error") in answer.content.decode()
    assert Issue.objects.get(pk=issue.pk).state == "draft"
    assert not issue.approvals.exists()


def test_the_proof_of_set_up_says_that_the_disk_failed(issue: Issue) -> None:
    answer = sign_in_to_failures("admin").post("/admin/setup/proof/")
    text = answer.content.decode()
    assert NOT_DONE.format("Input/output error") in text
    assert "Your text is safe" not in text
    assert not issue.proofs.exists()


def test_the_proof_of_set_up_hides_no_other_failure(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("newsletter.desk.setup.proof_step.send_first_proof", fail)
    answer = sign_in_to_failures("admin").post("/admin/setup/proof/")
    assert answer.status_code == 500
    assert "Sorry, something went wrong" in answer.content.decode()


def test_an_upload_says_that_the_disk_failed(settings: LazySettings) -> None:
    settings.MEDIA_ROOT = "/proc/nothing-can-be-written-here"
    file = SimpleUploadedFile("harbour.jpg", draw(400, 300), content_type="image/jpeg")
    answer = sign_in_to_failures("editor").post(
        "/admin/images/add/", {"title": "Harbour", "description": "A harbour", "file": file}
    )
    assert answer.status_code == 503
    assert NOT_DONE.format("No such file or directory") in answer.content.decode()
    assert not Image.objects.exists()


def test_a_large_upload_says_that_the_disk_failed(settings: LazySettings) -> None:
    """A file that is too large for the memory is written to the disk before any page reads it."""
    settings.FILE_UPLOAD_TEMP_DIR = "/proc/nothing-can-be-written-here"
    file = SimpleUploadedFile("people.csv", b"email\n" + b"someone@example.org\n" * 200_000)
    answer = sign_in_to_failures("admin").post("/admin/people/imports/new/", {"file": file})
    assert answer.status_code == 503
    assert NOT_DONE.format("No such file or directory") in answer.content.decode()


def test_other_failures_show_the_usual_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("newsletter.desk.home.panel.HomePanel.get_context_data", fail)
    answer = sign_in_to_failures("editor").get("/admin/")
    assert answer.status_code == 500
    assert "Sorry, something went wrong" in answer.content.decode()


def test_a_failing_preview_is_logged_once(issue: Issue, caplog: pytest.LogCaptureFixture) -> None:
    """An open preview asks again every few seconds."""
    panel.logged_failures.clear()
    client = sign_in("writer")
    with caplog.at_level(logging.WARNING):
        assert [client.get(f"/admin/issues/{issue.pk}/mail/mail.0.none/").status_code for _ in range(3)] == [503] * 3
    assert [line for line in caplog.messages if "could not be read or written" in line] == [
        "A mail was not shown, because a file could not be read or written: [Errno 5] Input/output error. "
        "This is logged every 10 minutes at most."
    ]
