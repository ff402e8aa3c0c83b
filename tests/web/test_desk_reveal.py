"""An address is masked until somebody with permission shows it, and the staff log records that."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from wagtail.models import ModelLogEntry

from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.models import ImportBatch, Subscriber
from tests.support.desk import PASSWORD, sign_in
from tests.support.people import make_list, make_member

pytestmark = pytest.mark.django_db
ADDRESS, MASKED = "ada@example.org", "a•••@e•••.org"


@pytest.fixture
def ada() -> Subscriber:
    return make_member(make_list(), ADDRESS, name="Ada Lee")


@pytest.mark.requirement("V10")
def test_showing_a_whole_address_is_logged(ada: Subscriber) -> None:
    client = sign_in("data")
    page = client.get(reverse("subscribers_person", args=[ada.pk])).content.decode()
    assert MASKED in page
    assert ADDRESS not in page
    assert not ModelLogEntry.objects.filter(action="subscribers.reveal").exists()
    reveal = reverse("subscribers_reveal", args=[ada.pk])
    assert reveal in page
    answer = client.post(reveal)
    assert ADDRESS in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    entry = ModelLogEntry.objects.get(action="subscribers.reveal")
    assert (entry.object_id, entry.user_display_name, ADDRESS in str(entry.data)) == (
        str(ada.pk),
        "data@example.org",
        False,
    )


@pytest.mark.requirement("V10")
def test_reopening_the_page_of_an_address_shows_it_masked(ada: Subscriber) -> None:
    page = sign_in("data").get(reverse("subscribers_reveal", args=[ada.pk])).content.decode()
    assert (MASKED in page, ADDRESS in page) == (True, False)
    assert not ModelLogEntry.objects.filter(action="subscribers.reveal").exists()


@pytest.mark.requirement("V10")
def test_no_page_or_file_shows_an_address_without_permission(ada: Subscriber) -> None:
    client = sign_in("data")
    right = Permission.objects.get(content_type__app_label="subscribers", codename="reveal")
    Group.objects.get(name="data").permissions.remove(right)
    page = client.get(reverse("subscribers_person", args=[ada.pk])).content.decode()
    assert MASKED in page
    assert reverse("subscribers_reveal", args=[ada.pk]) not in page
    assert reverse("subscribers_person_data", args=[ada.pk]) not in page
    asked = {"mailing_list": "", "reason": "Print", "password": PASSWORD}
    for page, fields in {
        reverse("subscribers_reveal", args=[ada.pk]): {},
        reverse("subscribers_person_data", args=[ada.pk]): {},
        reverse("subscribers_export"): asked,
    }.items():
        answer = client.post(page, fields)
        assert answer.status_code in (302, 403)
        assert ADDRESS not in answer.content.decode()
    assert not ModelLogEntry.objects.filter(action__in=["subscribers.reveal", "subscribers.export_person"]).exists()
    import_people(
        PeopleFile(content=io.BytesIO(f"email,status\n{ADDRESS},nonsense\n".encode())),
        mailing_list=make_list("other"),
        terms=ConsentTerms(basis="consent", evidence="Sheet of the spring fair"),
        by="kim",
    )
    batch = ImportBatch.objects.get()
    assert batch.refusals.exists()
    refused = reverse("subscribers_import_refused", args=[batch.pk])
    assert client.get(refused).status_code in (302, 403)
    assert refused not in client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()


@pytest.mark.parametrize("role", ["writer", "editor", "approver"])
@pytest.mark.requirement("V10")
def test_roles_without_people_cannot_see_addresses(role: str, ada: Subscriber) -> None:
    answer = sign_in(role).post(reverse("subscribers_reveal", args=[ada.pk]))
    assert answer.status_code in (302, 403)
    assert ADDRESS not in answer.content.decode()
