"""Words of desk pages that are not in a template: labels of numbers, filters and tables, in the reader's language."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from wagtail.log_actions import log
from wagtail.users.models import UserProfile

from newsletter.common.messages import Message, encode
from newsletter.common.translation import translate
from newsletter.models import EventNotice, Publication
from newsletter.sending.accounts import find_account
from subscribers.importing.reading.column_mapping import FIELDS
from subscribers.models import ImportBatch
from subscribers.people.location_labels import translate_note
from subscribers.places.areas import join_descriptions
from tests.support.desk import sign_in
from tests.support.desk_imports import run_imports, upload
from tests.support.fixtures import (
    LONDON,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.page_html import compact_html
from tests.support.people import make_list, make_member
from tests.support.webhooks import make_answered_endpoint

pytestmark = pytest.mark.django_db
TERMS = {"kind": "join", "basis": "consent", "evidence": "Hoja de la feria", "encoding": "utf-8", "column_0": "email"}


def sign_in_spanish(role: str) -> Client:
    client = sign_in(role)
    UserProfile.objects.update_or_create(
        user=User.objects.get(username=f"{role}@example.org"), defaults={"preferred_language": "es"}
    )
    return client


@pytest.mark.parametrize(
    "path", ["/admin/nothing/", "/admin/issues/999/overview/", "/admin/people/999999/", "/admin/bulk/"]
)
def test_a_page_that_does_not_exist_and_its_menu(path: str) -> None:
    answer = sign_in_spanish("data").get(path, headers={"Accept-Language": "en"})
    page = compact_html(answer.content.decode())
    assert answer.status_code == 404
    assert "Página no encontrada" in page
    assert "Ir al inicio" in page
    assert "Números" in page or "Personas" in page
    for english in ("Page not found", "Go to Home", ">Home<"):
        assert english not in page


def test_the_fields_that_a_column_can_have() -> None:
    with override("es"):
        assert (translate(FIELDS["country"]), translate(FIELDS["topics"])) == ("País", "Temas")


def test_why_lines_of_an_import_were_refused() -> None:
    client = sign_in_spanish("data")
    batch = upload(client, "Email\nana\nluis@example.org\n")
    client.post(reverse("subscribers_import_terms", args=[batch.pk]), TERMS)
    run_imports()
    address = reverse("subscribers_import", args=[batch.pk])
    checked = client.get(address).content.decode()
    client.post(reverse("subscribers_import_step", args=[batch.pk, "run"]))
    run_imports()
    for page in (checked, client.get(address).content.decode()):
        assert ">rechazadas</th>" in page
        assert "le falta la @" in page
        assert "it has no @" not in page
    file = client.get(reverse("subscribers_import_refused", args=[batch.pk]))
    assert "le falta la @" in file.getvalue().decode()


def test_the_places_in_a_note_of_an_import() -> None:
    client = sign_in_spanish("data")
    batch = upload(client, "Email\nana@example.org\n")
    client.post(reverse("subscribers_import_terms", args=[batch.pk]), TERMS)
    run_imports()
    note = Message(
        "“%(town)s” is not in %(country)s; stored as %(place)s.",
        town="London",
        country="Spain",
        place="London, England, United Kingdom",
    )
    report = encode({"notes": [[2, Message.joined([note], between=" ")]], "noted": 1})
    ImportBatch.objects.filter(pk=batch.pk).update(checked=report)
    page = client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()
    assert "Londres, Inglaterra, Reino Unido" in page
    assert "no está en España" in page


def test_the_areas_in_a_note_about_a_location() -> None:
    areas = join_descriptions(["Texas, United States", Message("a part of %(describe)s", describe="France"), "Spain"])
    assert areas == "Texas, United States or a part of France or Spain"
    assert join_descriptions(["Spain"]) == "Spain"
    also = "London, England, United Kingdom; Narnia"
    note = Message("“%(part)s” could be %(what)s, or the town %(also)s.", part="Texas", what=areas, also=also)
    with override("es"):
        assert translate_note(note) == (
            "“Texas” puede ser Texas, Estados Unidos o una parte de Francia o España, o la localidad Londres, Inglaterra, "
            "Reino Unido; Narnia."
        )
        assert translate_note(Message("“%(text)s” names no town, only %(area)s.", text="x", area="Narnia")).endswith(
            "Narnia."
        )


def test_the_places_in_a_note_of_an_event() -> None:
    note = Message(
        "“%(part)s” is not in %(area)s, but there is %(places)s. Check the country or region.",
        part="London",
        area="Spain",
        places="London, England, United Kingdom",
    )
    event = make_event("Vigil", note=note, place_question={"note": note, "event_note": "", "candidates": []})
    EventNotice.objects.filter(pk=event.pk).update(starts_at=timezone.now() + timedelta(days=9))
    client, expected = sign_in_spanish("editor"), "no está en España, pero existe Londres, Inglaterra, Reino Unido."
    for address in ("/admin/events/", f"/admin/events/edit/{event.pk}/", reverse("newsletter_event_places")):
        assert expected in client.get(address).content.decode(), address


def test_the_buttons_of_a_chooser_are_in_the_language_of_each_reader(publication: Publication) -> None:
    make_story("The clinic opens")
    issue = make_issue(publication)
    spanish, english = sign_in_spanish("approver"), sign_in("editor")
    for path in (f"/admin/issues/edit/{issue.pk}/", "/admin/events/add/"):
        first = spanish.get(path).content.decode()
        assert "Elegir evento" in first
        assert "Choose event" not in first
        second = english.get(path).content.decode()
        assert "Choose event" in second
        assert "Elegir evento" not in second


@pytest.mark.parametrize(
    ("path", "filter"), [("issues", "Publicación"), ("people", "Donaciones"), ("users", "Función")]
)
def test_the_filters_of_a_list(path: str, filter: str, publication: Publication) -> None:
    make_story("The clinic opens")
    make_issue(publication)
    page = sign_in_spanish("admin").get(f"/admin/{path}/").content.decode()
    labels = re.findall(r'<label\s+class="w-field__label"[^>]*>\s*([^<]+?)\s*</label>', page)
    assert filter in labels
    assert not {"Publication", "Giving", "Group", "Grupo"} & set(labels)


def test_a_person_and_a_mail_without_a_place_or_an_answer(publication: Publication) -> None:
    person, client = make_member(publication.mailing_list, "someone@example.org"), sign_in_spanish("data")
    assert "localidad desconocida" in compact_html(client.get(f"/admin/people/{person.pk}/").content.decode())
    endpoint = make_answered_endpoint(now=timezone.now())
    page = compact_html(sign_in_spanish("admin").get(f"/admin/webhooks/{endpoint.pk}/").content.decode())
    assert ">Respuesta</th>" in page
    assert ">Entregado<" in page
    assert "Entregados" not in page


def test_the_uses_of_a_row_and_its_link() -> None:
    story = make_story("The clinic opens")
    page = sign_in_spanish("editor").get(f"/admin/stories/usage/{story.pk}/").content.decode()
    assert "No hay resultados." in page


def test_the_role_names_of_the_record_of_processing() -> None:
    page = sign_in_spanish("admin").get("/admin/processing/").content.decode()
    assert "Administración: 1" in page
    assert "admin: 1" not in page


def test_what_uses_a_list_that_cannot_be_deleted() -> None:
    client, mailing_list = sign_in_spanish("data"), make_list()
    make_member(mailing_list, "someone@example.org")
    for _number in range(2):
        upload(client, "Email\nluis@example.org\n")
    page = client.get(f"/admin/lists/delete/{mailing_list.pk}/").content.decode()
    for words in ("1 suscripción", "2 importaciones"):
        assert words in page
    for words in ("subscription", "import batch", "consent event"):
        assert words not in page


def test_the_staff_log_names_roles_and_details() -> None:
    person = make_approver("kim@example.org")
    log(instance=person, action="newsletter.role_changed", data={"role": "approver", "was": "writer"})
    log(instance=person, action="newsletter.staff_added", data={"role": "admin", "first": True, "key_id": 7})
    page = sign_in("admin").get("/admin/staff-log/").content.decode()
    assert "role: Approver, earlier: Writer" in page
    assert "role: Administrator, first account: yes" in page
    assert "key_id" not in page
    client = sign_in_spanish("admin")
    page = client.get("/admin/staff-log/").content.decode()
    assert "rol: Aprobación, antes: Redacción" in page
    file = client.get("/admin/staff-log/", {"as": "csv"}).getvalue().decode()
    assert "role: approver, was: writer" in file


def test_the_staff_log_says_why_a_sign_in_was_refused() -> None:
    person, client = User.objects.create_user("ann@example.org"), sign_in_spanish("admin")
    data = {"reason": "email_unverified", "with": "Example ID"}
    log(instance=person, action="newsletter.sign_in_refused", data=data)
    page = client.get(reverse("newsletter_audit")).content.decode()
    assert "la dirección no está verificada" in page
    assert "email_unverified" not in page


def test_the_name_of_a_mail_server_account(settings) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"own": "smtp://mail.example.org"}
    page = sign_in_spanish("admin").get("/admin/setup/provider/").content.decode()
    assert "SMTP (STARTTLS, puerto 587)" in page
    assert "port 587" not in page
    assert "port 465" not in page
    account = find_account("own")
    with override("es"):
        assert account
        assert translate(account.title) == "SMTP (STARTTLS, puerto 587) (own)"


def test_the_town_in_the_reason_of_an_event() -> None:
    publication = make_publication()
    event = make_event("Vigil by the river", where=LONDON)
    (person,) = add_subscribers(publication, 1, where=LONDON)
    issue = make_issue(publication)
    page = sign_in_spanish("data").get(f"/admin/people/{person.pk}/issues/{issue.pk}/").content.decode()
    assert event.title in page
    assert "Está a 0 km de Londres." in page
