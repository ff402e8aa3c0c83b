"""Imports and exports in the desk, for the roles that manage people only."""

import csv
import io
import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from wagtail.models import ModelLogEntry

from subscribers.models import ExportRequest, ImportBatch, ImportState, Subscriber, Subscription
from subscribers.segments.attributes import write_attributes
from tests.support.desk import PASSWORD, said, sign_in
from tests.support.desk_imports import run_imports, upload
from tests.support.people import make_list, make_member

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.requirement("D2"),
    pytest.mark.requirement("D3"),
    pytest.mark.requirement("V10"),
]
TERMS = {"kind": "join", "basis": "consent", "evidence": "Sheet of the spring fair", "encoding": "utf-8"}


def test_a_file_is_mapped_checked_imported_and_undone() -> None:
    client = sign_in("data")
    batch = upload(client, "Email,Shoe size\nann@example.org,7\nbad,8\n")
    page = client.get(reverse("subscribers_import", args=[batch.pk]), follow=True).content.decode()
    assert "Shoe size" in page
    assert "Import as attribute “shoe_size”" in page
    columns = {"column_0": "email", "column_1": "name"}
    response = client.post(reverse("subscribers_import_terms", args=[batch.pk]), {**TERMS, **columns})
    assert response.status_code == 302
    progress = reverse("subscribers_import_progress", args=[batch.pk])
    assert client.get(progress).json() == {
        "done": 0, "lines": 2, "words": "0 of about 2 lines", "version": "checking",
    }  # fmt: skip
    run_imports()
    page = client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()
    assert "Nothing is saved yet" in page
    assert "Import 1 person" in page
    assert "Line 3:" in page
    assert not Subscriber.objects.exists()
    client.post(reverse("subscribers_import_step", args=[batch.pk, "run"]))
    run_imports()
    person = Subscriber.objects.get()
    assert (person.name, Subscription.objects.get().evidence) == ("7", TERMS["evidence"])
    refused = client.get(reverse("subscribers_import_refused", args=[batch.pk]))
    rows = list(csv.reader(io.StringIO(b"".join(refused).decode("utf-8-sig"))))  # type: ignore[arg-type]
    assert rows[0] == ["Line in the file", "Why it was refused", "Email", "Shoe size"]
    assert rows[1][2:] == ["bad", "8"]
    assert (
        "Undo the import of “people.csv”?"
        in client.get(reverse("subscribers_import_undo", args=[batch.pk])).content.decode()
    )
    client.post(reverse("subscribers_import_step", args=[batch.pk, "undo"]))
    run_imports()
    assert not Subscriber.objects.exists()
    assert "person removed" in client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()
    noted = ModelLogEntry.objects.filter(action__startswith="subscribers.import").order_by("pk")
    steps = ["import_left", "import_terms", "import", "import_refused", "import_undo"]
    assert list(noted.values_list("action", flat=True)) == [f"subscribers.{step}" for step in steps]
    assert "people.csv" in client.get(reverse("subscribers_imports")).content.decode()


def test_one_line_is_not_called_lines() -> None:
    client = sign_in("data")
    batch = upload(client, "email\nann@example.org\n")
    page = reverse("subscribers_import", args=[batch.pk])
    ImportBatch.objects.update(lines=1)
    assert "About 1 line for" in client.get(page, follow=True).content.decode()
    ImportBatch.objects.update(state=ImportState.CHECKING, evidence="Sheet")
    assert client.get(reverse("subscribers_import_progress", args=[batch.pk])).json()["words"] == "0 of about 1 line"
    undone = {"removed": 1, "ended": 1, "stayed": 1, "lifted": 1, "kept": 2}
    ImportBatch.objects.update(state=ImportState.UNDONE, counts={"rows": 6, "undone": undone})
    shown = client.get(page).content.decode()
    for words in ("person removed", "person taken off", "person kept", "suppression removed", "suppressions kept"):
        assert words in shown


def test_what_the_law_needs_is_asked_for_and_nothing_is_lost_meanwhile() -> None:
    client = sign_in("data")
    batch = upload(client, "email\nann@example.org\n")
    url = reverse("subscribers_import_terms", args=[batch.pk])
    for wrong, says in (
        ({"evidence": " "}, "Enter the proof"),
        ({"basis": ""}, "Choose why you can email these people"),
        ({"basis": "soft_opt_in"}, "only if all of this is true"),
        ({"basis": "soft_opt_in", "charity": "on"}, "choose the column that has it"),
        ({"column_0": "name"}, "No column is called"),
    ):
        response = client.post(url, {**TERMS, "column_0": "email", **wrong})
        assert response.status_code == 400
        assert says in response.content.decode()
    batch.refresh_from_db()
    assert batch.state == ImportState.DRAFT
    client.post(
        url, {**TERMS, "column_0": "email", "basis": "soft_opt_in", "charity": "on", "collected_on": "2026-03-01"}
    )
    batch.refresh_from_db()
    assert (batch.state, "We are a charity" in batch.evidence) == (ImportState.CHECKING, True)


def test_a_file_that_cannot_be_read_says_why_and_leaves_nothing() -> None:
    client = sign_in("data")
    given = {"file": SimpleUploadedFile("old.xls", b"\xd0\xcf\x11\xe0"), "mailing_list": make_list().pk}
    response = client.post(reverse("subscribers_import_new"), given)
    assert "Save it as .xlsx or CSV" in response.content.decode()
    assert not ImportBatch.objects.exists()


def test_a_file_can_be_thrown_away_before_anybody_came_in_and_not_after() -> None:
    client = sign_in("data")
    batch = upload(client, "email\nann@example.org\n")
    discard = reverse("subscribers_import_step", args=[batch.pk, "discard"])
    ImportBatch.objects.filter(pk=batch.pk).update(state="finished", counts={"new": 1}, evidence="Sheet")
    assert "has already added people" in said(client.post(discard, follow=True))[0]
    ImportBatch.objects.filter(pk=batch.pk).update(state="draft", counts={})
    client.post(discard)
    assert not ImportBatch.objects.exists()


@pytest.mark.parametrize("role", ["writer", "editor", "approver"])
def test_staff_without_the_data_role_get_no_import_and_no_export(role: str) -> None:
    batch = upload(sign_in("data"), "email\nann@example.org\n")
    person = make_member(batch.mailing_list)
    client = sign_in(role)
    for name in ("imports", "import_new", "export"):
        assert client.get(reverse(f"subscribers_{name}")).status_code in (302, 403)
    for name in ("import", "import_terms", "import_progress", "import_refused", "import_undo"):
        assert client.get(reverse(f"subscribers_{name}", args=[batch.pk])).status_code in (302, 403)
    for step in ("run", "undo", "discard"):
        assert client.post(reverse("subscribers_import_step", args=[batch.pk, step])).status_code in (302, 403)
    assert client.post(reverse("subscribers_person_data", args=[person.pk])).status_code in (302, 403)
    assert ImportBatch.objects.get().state == ImportState.DRAFT
    assert "subscribers_imports" not in client.get("/admin/").content.decode()


def test_an_export_needs_reason_and_password_and_can_be_imported(tmp_path: Path) -> None:
    client = sign_in("data")
    weekly = make_list()
    write_attributes([(make_member(weekly, "ann@example.org", name="=Ann").pk, {"shoe": "7"})])
    url = reverse("subscribers_export")
    wrong = client.post(url, {"mailing_list": weekly.pk, "reason": "Print run", "password": "guess"})
    assert "Incorrect password" in wrong.content.decode()
    assert client.post(url, {"password": PASSWORD}).status_code == 400
    right = client.post(url, {"mailing_list": weekly.pk, "reason": "Print run", "password": PASSWORD, "mark": "on"})
    body = b"".join(right).decode()  # type: ignore[arg-type]
    assert body.startswith("\ufeffemail,")
    (row,) = csv.DictReader(io.StringIO(body.removeprefix("\ufeff")))
    assert (row["email"], row["name"], row["attribute:shoe"], row["lists"]) == (
        "ann@example.org",
        "'=Ann",
        "7",
        "weekly",
    )
    entry = ModelLogEntry.objects.get(action="subscribers.export")
    asked = ExportRequest.objects.get()
    assert entry.data == {
        "export": asked.pk,
        "chosen": False,
        "reason": "Print run",
        "list": "weekly",
        "list_id": asked.mailing_list_id,
        "people": 1,
        "most": 1,
        "taken": 1,
    }
    assert asked.without_approval
    assert asked.used_at


@pytest.mark.requirement("P5")
def test_everything_held_about_one_person_is_downloaded_and_put_on_record() -> None:
    person = make_member(make_list(), "ann@example.org")
    response = sign_in("data").post(reverse("subscribers_person_data", args=[person.pk]))
    assert json.loads(response.content)["email"] == "ann@example.org"
    assert ModelLogEntry.objects.filter(action="subscribers.export_person").exists()


def test_terms_sent_after_the_import_ended_lead_to_its_result() -> None:
    client = sign_in("data")
    batch = upload(client, "email\nann@example.org\n")
    ImportBatch.objects.update(state=ImportState.FINISHED, stored=False, evidence="Sheet")
    batch.pieces.all().delete()
    page = reverse("subscribers_import", args=[batch.pk])
    response = client.post(reverse("subscribers_import_terms", args=[batch.pk]), {**TERMS, "column_0": "email"})
    assert (response.status_code, response.headers.get("Location")) == (302, page)
