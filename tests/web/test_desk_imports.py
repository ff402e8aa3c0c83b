"""Imports and exports in the desk, for the roles that manage people only."""

import csv
import io
import json
import re
from pathlib import Path

import lxml.html
import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.templatetags.static import static
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter.desk.setup.steps import STEPS
from newsletter.models import Publication, SkippedStep
from subscribers.models import ExportRequest, ImportBatch, ImportState, MailingList, Subscriber, Subscription
from subscribers.segments.attributes import write_attributes
from tests.support.desk import PASSWORD, list_messages, sign_in
from tests.support.desk_imports import run_imports, upload
from tests.support.fixtures import make_publication
from tests.support.page_html import compact_html
from tests.support.people import make_list, make_member

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.requirement("D2"),
    pytest.mark.requirement("D3"),
    pytest.mark.requirement("V10"),
]
TERMS = {"kind": "join", "basis": "consent", "evidence": "Sheet of the spring fair", "encoding": "utf-8"}


def test_a_checked_file_says_how_many_lines_it_does_not_show() -> None:
    client = sign_in("data")
    lines = "".join(f"bad{number},Leeds\n" for number in range(23))
    towns = "".join(f"p{number}@example.org,Nowhereville {number}\n" for number in range(22))
    batch = upload(client, f"Email,City\n{lines}{towns}p1@example.org,Leeds\n")
    client.post(
        reverse("subscribers_import_terms", args=[batch.pk]), {**TERMS, "column_0": "email", "column_1": "city"}
    )
    run_imports()
    page = compact_html(client.get(reverse("subscribers_import", args=[batch.pk])).content.decode())
    assert page.count("<li><strong>Row") == 40
    assert '<li class="nl-quiet">and 3 more</li>' in page
    assert "also on an earlier row" in page
    assert "Nowhereville" in page


def test_a_note_that_many_lines_have_is_shown_once_with_their_number() -> None:
    client = sign_in("data")
    towns = "".join(f"p{number}@example.org,Nowhereville\n" for number in range(1200))
    batch = upload(client, f"Email,City\n{towns}last@example.org,Elsewhereville\n")
    client.post(
        reverse("subscribers_import_terms", args=[batch.pk]), {**TERMS, "column_0": "email", "column_1": "city"}
    )
    run_imports()
    page = compact_html(client.get(reverse("subscribers_import", args=[batch.pk])).content.decode())
    assert page.count("<li><strong>Row") == 2
    assert "<strong>Row 2 and 1,199 more rows:</strong>" in page
    assert "<strong>Row 1,202:</strong>" in page
    assert "more</li>" not in page


def test_the_desk_offers_to_keep_an_unsure_column_whatever_it_says() -> None:
    client = sign_in("data")
    batch = upload(client, "Email,Consent\nann@example.org,no\n")
    page = client.get(reverse("subscribers_import", args=[batch.pk]), follow=True).content.decode()
    assert "Extra field “consent”, whatever it says" in page
    columns = {"column_0": "email", "column_1": "attribute:=consent"}
    client.post(reverse("subscribers_import_terms", args=[batch.pk]), {**TERMS, **columns})
    run_imports()
    page = compact_html(client.get(reverse("subscribers_import", args=[batch.pk])).content.decode())
    batch.refresh_from_db()
    assert (batch.checked["new"], batch.checked["refused"]) == (1, 0)
    assert "Extra field “consent”" in page


def test_a_file_is_mapped_checked_imported_and_undone() -> None:
    client = sign_in("data")
    batch = upload(client, "Email,Shoe size\nann@example.org,7\nbad,8\n")
    page = client.get(reverse("subscribers_import", args=[batch.pk]), follow=True).content.decode()
    assert "Shoe size" in page
    assert "Extra field “shoe_size”" in page
    assert "2 rows for the list" in compact_html(page), "a row may be nobody, or somebody who is there twice"
    assert "An extra field keeps a column for segments" in page
    columns = {"column_0": "email", "column_1": "name"}
    response = client.post(reverse("subscribers_import_terms", args=[batch.pk]), {**TERMS, **columns})
    assert response.status_code == 302
    progress = reverse("subscribers_import_progress", args=[batch.pk])
    assert client.get(progress).json() == {
        "done": 0, "total": 2, "count": "0 of 2 lines", "version": "checking", "note": "",
    }  # fmt: skip
    run_imports()
    page = client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()
    assert "Nothing is saved yet" in page
    assert "Import 1 person" in page
    assert "Row 3:" in page
    assert not Subscriber.objects.exists()
    client.post(reverse("subscribers_import_step", args=[batch.pk, "run"]))
    run_imports()
    person = Subscriber.objects.get()
    assert (person.name, Subscription.objects.get().evidence) == ("7", TERMS["evidence"])
    refused = client.get(reverse("subscribers_import_refused", args=[batch.pk]))
    rows = list(csv.reader(io.StringIO(b"".join(refused).decode("utf-8-sig"))))  # type: ignore[arg-type]
    assert rows[0] == ["Row in the file", "Why it was refused", "Refusal code", "Email", "Shoe size"]
    assert rows[1][2:] == ["bad_address", "bad", "8"]
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


def test_people_cannot_be_added_before_there_is_a_list() -> None:
    client, page = sign_in("data"), reverse("subscribers_import_new")
    shown = client.get(page).content.decode()
    assert reverse("wagtailsnippets_subscribers_mailinglist:add") in shown
    assert "<textarea" not in shown
    make_list()
    assert "<textarea" in client.get(page).content.decode()


def test_one_line_is_not_called_lines() -> None:
    client = sign_in("data")
    batch = upload(client, "email\nann@example.org\n")
    page = reverse("subscribers_import", args=[batch.pk])
    ImportBatch.objects.update(lines=1)
    assert "1 row for the list" in client.get(page, follow=True).content.decode()
    ImportBatch.objects.update(state=ImportState.CHECKING, evidence="Sheet")
    assert client.get(reverse("subscribers_import_progress", args=[batch.pk])).json()["count"] == "0 of 1 line"
    undone = {"removed": 1, "ended": 1, "stayed": 1, "ended_before": 1, "lifted": 1, "kept": 2}
    ImportBatch.objects.update(state=ImportState.UNDONE, counts={"rows": 6, "undone": undone})
    shown = client.get(page).content.decode()
    for words in (
        "person removed",
        "person taken off",
        "person kept",
        "suppression removed",
        "suppressions kept",
        "person was off the list already",
    ):
        assert words in shown


def test_legal_fields_are_required_and_nothing_typed_is_lost() -> None:
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


@pytest.mark.parametrize(
    "typed",
    [
        "ada@example.org",
        "ada@example.org, Ada\nBo Lee <bo@example.org>",
        "Ada\tada@example.org\nBo\tbo@example.org",
        "name;email\nAda;ada@example.org",
    ],
)
def test_typed_people_are_imported_like_those_of_a_file(typed: str) -> None:
    client = sign_in("data")
    response = client.post(reverse("subscribers_import_new"), {"typed": typed, "mailing_list": make_list().pk})
    assert response.status_code == 302
    batch = ImportBatch.objects.get()
    columns = {f"column_{at}": field for at, field in enumerate(batch.mapping)}
    client.post(reverse("subscribers_import_terms", args=[batch.pk]), {**TERMS, **columns})
    run_imports()
    client.post(reverse("subscribers_import_step", args=[batch.pk, "run"]))
    run_imports()
    assert Subscriber.objects.filter(email="ada@example.org").get().name == ("Ada" if "Ada" in typed else "")
    assert Subscription.objects.open().count() == typed.count("@")


def test_too_many_typed_people_are_refused_and_none_is_lost() -> None:
    """A browser that knew the limit would cut the pasted rows without a word."""
    client = sign_in("data")
    typed = "".join(f"person{number:05}@example.org, Person {number}\n" for number in range(3_000))
    given = {"typed": typed, "mailing_list": make_list().pk}
    page = client.post(reverse("subscribers_import_new"), given).content.decode()
    assert "These are too many people to paste. Save them as a CSV file or an Excel workbook" in page
    assert "person02999@example.org" in page
    assert not ImportBatch.objects.exists()
    [area] = lxml.html.fromstring(page).xpath("//textarea[@name='typed']")
    assert "maxlength" not in area.attrib


def type_people(client: Client, text: str) -> ImportBatch:
    """Type people, take the terms as they are offered, and have the lines checked."""
    mailing_list = MailingList.objects.first() or make_list()
    client.post(reverse("subscribers_import_new"), {"typed": text, "mailing_list": mailing_list.pk})
    batch = ImportBatch.objects.latest("pk")
    columns = {f"column_{at}": field for at, field in enumerate(batch.mapping)}
    client.post(reverse("subscribers_import_terms", args=[batch.pk]), {**TERMS, **columns})
    run_imports()
    batch.refresh_from_db()
    return batch


def test_a_typed_line_without_an_address_is_refused_not_lost() -> None:
    client = sign_in("data")
    batch = type_people(client, "maria.example.org, Maria Lopez\n\nvera@example.org, Vera Lind\n")
    page = compact_html(client.get(reverse("subscribers_import", args=[batch.pk])).content.decode())
    assert "Row 1:</strong> This is no email address: it has no @." in page
    assert page.count("no email address") == 1
    assert "Import 1 person" in page
    assert "Change why you can email them" in page
    assert not any(text in page for text in ("Change columns", ">Columns</th>", "Type of import"))
    alone = type_people(client, "nobody")
    assert alone.checked["rows"] == 1
    assert "Row 1:" in client.get(reverse("subscribers_import", args=[alone.pk])).content.decode()


def test_typed_names_and_addresses_need_no_columns() -> None:
    client = sign_in("data")
    make_list()
    client.post(
        reverse("subscribers_import_new"),
        {"typed": "ada@example.org, Ada", "mailing_list": MailingList.objects.get().pk},
    )
    terms = reverse("subscribers_import_terms", args=[ImportBatch.objects.get().pk])
    page = client.get(terms).content.decode()
    assert "Sample values" not in page
    assert "<title>Typed people" in compact_html(page)
    assert '<input type="hidden" name="column_1" value="name"' in page
    assert "Discard these people" in page
    assert '<input type="hidden" name="kind" value="join"' in page
    assert 'type="radio" name="kind"' not in page
    assert "Who they are" not in page
    client.post(
        reverse("subscribers_import_new"),
        {"typed": "bo@example.org, Bo, York", "mailing_list": MailingList.objects.get().pk},
    )
    more = reverse("subscribers_import_terms", args=[ImportBatch.objects.latest("pk").pk])
    assert "Sample values" in client.get(more).content.decode()


def test_one_import_takes_a_file_or_typed_people_not_both() -> None:
    client = sign_in("data")
    weekly = make_list()
    nothing = client.post(reverse("subscribers_import_new"), {"mailing_list": weekly.pk})
    assert "Choose a file, or type people below." in nothing.content.decode()
    file = SimpleUploadedFile("people.csv", b"email\nann@example.org\n")
    both = {"file": file, "typed": "bo@example.org", "mailing_list": weekly.pk}
    page = client.post(reverse("subscribers_import_new"), both).content.decode()
    assert "Add one, then the other." in page
    assert "bo@example.org" in page
    assert not ImportBatch.objects.exists()


def test_a_file_can_be_thrown_away_before_anybody_came_in_and_not_after() -> None:
    client = sign_in("data")
    batch = upload(client, "email\nann@example.org\n")
    discard = reverse("subscribers_import_step", args=[batch.pk, "discard"])
    ImportBatch.objects.filter(pk=batch.pk).update(state="finished", counts={"new": 1}, evidence="Sheet")
    assert "has already added people" in list_messages(client.post(discard, follow=True))[0]
    assert ">Finished</span>" in client.get(reverse("subscribers_imports")).content.decode()
    ImportBatch.objects.filter(pk=batch.pk).update(state="draft", counts={})
    client.post(discard)
    assert not ImportBatch.objects.exists()


def check(client: Client, text: str, **fields: object) -> tuple[ImportBatch, str]:
    """Upload a file, send its terms, have it checked, and return the import and its page."""
    batch = upload(client, text)
    columns = {f"column_{at}": target for at, target in enumerate(batch.mapping)}
    response = client.post(reverse("subscribers_import_terms", args=[batch.pk]), {**TERMS, **columns, **fields})
    assert response.status_code == 302
    run_imports()
    return batch, client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()


def test_a_town_without_a_country_is_found_in_the_chosen_one(publication: Publication) -> None:
    client = sign_in("data")
    Publication.objects.update(zone="Europe/London")
    make_publication(slug="other", zone="Europe/Paris")
    batch = upload(client, "email,city\nann@example.org,York\n")
    terms = client.get(reverse("subscribers_import_terms", args=[batch.pk])).content.decode()
    assert '<option value="GB" selected>United Kingdom</option>' in terms
    _batch, unknown = check(client, "email,city\nann@example.org,York\n")
    assert "York, Pennsylvania" in unknown
    batch, known = check(client, "email,city\nann@example.org,York\n", country="GB")
    assert "York, Pennsylvania" not in known
    assert "United Kingdom" in known
    client.post(reverse("subscribers_import_step", args=[batch.pk, "run"]))
    run_imports()
    assert str(Subscriber.objects.get().place) == "York, England, United Kingdom"


def test_the_button_says_who_is_added_and_who_is_updated() -> None:
    client = sign_in("data")
    make_member(make_list(), "ann@example.org", name="Ann")
    for people, label in (
        ("ann@example.org,Anna\n", "Update 1 person"),
        ("ann@example.org,Anna\nben@example.org,Ben\ncy@example.org,Cy\n", "Import 2 people and update 1"),
        ("ben@example.org,Ben\n", "Import 1 person"),
        ("ann@example.org,Ann\n", "Finish without importing anybody"),
    ):
        assert f'<button class="button">{label}</button>' in check(client, f"email,name\n{people}")[1]


def test_a_missing_proof_is_named_above_with_a_link_to_its_field() -> None:
    client = sign_in("data")
    batch = upload(client, "email\nann@example.org\n")
    url = reverse("subscribers_import_terms", args=[batch.pk])
    star = '<span class="w-required-mark">*</span>'
    assert f"What is the proof?{star}" in client.get(url).content.decode()
    page = client.post(url, {**TERMS, "column_0": "email", "evidence": ""}).content.decode()
    assert '<li><a href="#id_evidence">Enter the proof that you can email these people.' in page
    assert client.post(url, {**TERMS, "column_0": "email", "evidence": "", "kind": "bounced"}).status_code == 302


def test_the_encoding_is_put_away_unless_it_is_not_utf8() -> None:
    client = sign_in("data")
    batch = upload(client, "email,name\nann@example.org,Ann\nben@example.org,Ben\n\n")
    url = reverse("subscribers_import_terms", args=[batch.pk])
    page = compact_html(client.get(url).content.decode())
    assert "2 rows for the list" in page
    assert '<details class="nl-more"><summary>Are letters such as é or ñ wrong?' in page
    ImportBatch.objects.update(encoding="cp1252")
    assert '<details class="nl-more" open><summary>Are letters such as é or ñ wrong?' in compact_html(
        client.get(url).content.decode()
    )


def test_a_long_file_says_about_how_many_rows() -> None:
    client = sign_in("data")
    batch = upload(client, "email\n" + "".join(f"p{number}@example.org\n" for number in range(1_200)))
    page = client.get(reverse("subscribers_import_terms", args=[batch.pk])).content.decode()
    assert "About 1,200 rows for the list" in page


def test_the_only_list_is_chosen_and_the_sample_file_is_imported_whole() -> None:
    client = sign_in("data")
    weekly = make_list()
    page = client.get(reverse("subscribers_import_new")).content.decode()
    assert f'<option value="{weekly.pk}" selected>' in page
    assert static("subscribers/sample-people.csv") in page
    sample = Path(finders.find("subscribers/sample-people.csv")).read_text()
    _batch, checked = check(client, sample)
    assert '<button class="button">Import 3 people</button>' in checked
    assert "Check these lines" not in checked
    make_list("other")
    page = client.get(reverse("subscribers_import_new")).content.decode()
    assert '<option value="" selected>Choose a list</option>' in page


def test_a_finished_import_leads_to_its_people_and_back_to_set_up() -> None:
    client = sign_in("admin")
    batch, _page = check(client, "email\nann@example.org\n")
    client.post(reverse("subscribers_import_step", args=[batch.pk, "run"]))
    url = reverse("subscribers_import", args=[batch.pk])
    running = client.get(url).content.decode()
    assert "You can leave this page" in running
    assert "newsletter serve" not in running
    run_imports()
    page = compact_html(client.get(url).content.decode())
    people = f"{reverse('people:index')}?mailing_list={batch.mailing_list_id}"
    assert f'<a class="button" href="{people}">See these people</a>' in page
    person = reverse("subscribers_person", args=[Subscriber.objects.get().pk])
    assert person in client.get(people).content.decode()
    assert "Back to set-up" in page
    for step in STEPS:
        SkippedStep.objects.get_or_create(step=step.slug, defaults={"by": User.objects.first(), "at": timezone.now()})
    assert "Back to set-up" not in client.get(url).content.decode()


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


def test_several_columns_of_addresses_make_a_proposal_that_is_taken() -> None:
    client = sign_in("data")
    batch = upload(client, "Email,E-mail,Mail\n,ann@example.org,yes\n,bo@example.org,no\n")
    url = reverse("subscribers_import_terms", args=[batch.pk])
    page = client.get(url)
    text = " ".join(page.content.decode().split())
    assert "Email address: the column “E-mail” is chosen, and “Email” and “Mail” left out." in text
    proposed = {f"column_{at}": page.context["form"][f"column_{at}"].value() for at in range(3)}
    assert proposed == {"column_0": "", "column_1": "email", "column_2": ""}
    assert client.post(url, {**TERMS, **proposed}).status_code == 302


def test_a_file_with_one_column_of_addresses_says_nothing_of_a_choice() -> None:
    client = sign_in("data")
    batch = upload(client, "email,name\nann@example.org,Ann\n")
    page = client.get(reverse("subscribers_import_terms", args=[batch.pk])).content.decode()
    assert "is chosen" not in page


def test_a_column_found_by_its_addresses_is_named() -> None:
    client = sign_in("data")
    batch = upload(client, "Correo del socio,Nombre\nann@example.org,Ann\n")
    page = client.get(reverse("subscribers_import_terms", args=[batch.pk])).content.decode()
    assert "the column “Correo del socio” is chosen, because it holds addresses" in " ".join(page.split())


def test_an_error_elsewhere_says_that_the_file_must_be_chosen_again() -> None:
    client = sign_in("data")
    make_list()
    make_list(slug="other")
    file = SimpleUploadedFile("people.csv", b"email\nann@example.org\n")
    page = client.post(reverse("subscribers_import_new"), {"file": file}).content.decode()
    assert "Choose “people.csv” again" in page
    assert "Choose a list." in page
    typed = client.post(reverse("subscribers_import_new"), {"typed": "a@example.org"}).content.decode()
    assert not re.search("Choose “.*” again", typed)


def test_an_empty_file_of_people_says_what_to_do() -> None:
    client = sign_in("data")
    given = {"file": SimpleUploadedFile("people.csv", b""), "mailing_list": make_list().pk}
    page = client.post(reverse("subscribers_import_new"), given).content.decode()
    assert "The file is empty." in page
    assert "Save it again in the program that made it" in page
    assert "Choose “people.csv” again" not in page


@pytest.mark.parametrize("state", ["failed", "checked"])
def test_a_stopped_import_that_added_people_offers_its_undo(state: str) -> None:
    client = sign_in("data")
    batch, page = check(client, "email\nann@example.org\n")
    undo = reverse("subscribers_import_undo", args=[batch.pk])
    assert ("Nothing is saved yet" in page, "Delete this file" in page, undo in page) == (True, True, False)
    ImportBatch.objects.filter(pk=batch.pk).update(state=state, counts={"new": 1})
    page = client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()
    assert ("Nothing is saved yet" in page, "Delete this file" in page, undo in page) == (False, False, True)
    client.post(reverse("subscribers_import_step", args=[batch.pk, "undo"]))
    run_imports()
    assert ImportBatch.objects.get().state == ImportState.UNDONE


def test_an_undo_that_stopped_half_way_can_continue() -> None:
    client = sign_in("data")
    batch = upload(client, "email\nann@example.org\n")
    ImportBatch.objects.filter(pk=batch.pk).update(state="failed", counts={"new": 1, "undone_by": "kim"})
    page = client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()
    assert "Choose columns again" not in page
    assert reverse("subscribers_import_undo", args=[batch.pk]) in page


def test_a_check_that_failed_half_way_offers_to_delete_the_file() -> None:
    client = sign_in("data")
    batch, _ = check(client, "email\nann@example.org\n")
    ImportBatch.objects.filter(pk=batch.pk).update(state="failed", rows_done=1)
    page = client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()
    assert ("Delete this file" in page, reverse("subscribers_import_undo", args=[batch.pk]) in page) == (True, False)


def test_all_lines_of_the_proof_are_shown_again() -> None:
    client = sign_in("data")
    batch, _ = check(client, "email\nann@example.org\n")
    ImportBatch.objects.filter(pk=batch.pk).update(evidence="Sheet of May\nin the blue folder")
    page = client.get(reverse("subscribers_import_terms", args=[batch.pk])).content.decode()
    assert "Sheet of May\nin the blue folder" in page


def test_columns_of_a_damaged_file_cannot_be_chosen() -> None:
    client = sign_in("data")
    batch, _ = check(client, "email\nann@example.org\n")
    batch.pieces.all().delete()
    page = client.get(reverse("subscribers_import_terms", args=[batch.pk]), follow=True).content.decode()
    assert "The stored file is no longer complete" in page
    ImportBatch.objects.filter(pk=batch.pk).update(state="draft")
    answer = client.get(reverse("subscribers_import_terms", args=[batch.pk]), follow=True)
    assert answer.redirect_chain == [(reverse("subscribers_imports"), 302)]


def test_the_page_counts_people_updated_before_a_restart() -> None:
    client = sign_in("data")
    batch, _ = check(client, "email\nann@example.org\n")
    ImportBatch.objects.filter(pk=batch.pk).update(
        state="finished", counts={"rows": 3, "unchanged": 3, "updated_before": 2}
    )
    page = client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()
    assert "2 people were updated before the import stopped and began again." in page


def test_the_page_counts_people_whom_an_import_did_not_ask() -> None:
    client = sign_in("data")
    batch, _ = check(client, "email\nann@example.org\n")
    ImportBatch.objects.filter(pk=batch.pk).update(state="finished", counts={"rows": 3, "new": 3, "unasked": 2})
    page = client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()
    assert "2 people are on the list but were not asked to confirm" in page
