"""After a row is added, saved or deleted, the desk says so in its own words and quotation marks."""

import pytest
from django.test import RequestFactory
from wagtail.images.models import Image

from newsletter.desk.pictures.library_pages import DeletePicture, EditPicture
from tests.support.desk import list_messages, sign_in

pytestmark = pytest.mark.django_db
FIELDS = {
    "lists": {"double_opt_in": "on", "public": "on"},
    "topics": {},
    "segments": {"rule-count": "0"},
    "cases": {},
}


@pytest.mark.parametrize("rows", FIELDS)
def test_a_saved_row_is_named_in_our_words(rows: str) -> None:
    fields, client = {"name": "Friends", **FIELDS[rows]}, sign_in("admin")
    assert list_messages(client.post(f"/admin/{rows}/add/", fields, follow=True))[0].startswith("“Friends” is added.")
    listed = client.get(f"/admin/{rows}/").content.decode()
    edit = listed.partition(f'"/admin/{rows}/edit/')[2].partition("/")[0]
    changed = client.post(f"/admin/{rows}/edit/{edit}/", {**fields, "slug": "friends"}, follow=True)
    assert list_messages(changed)[0].startswith("“Friends” is saved.")
    if rows != "lists":
        deleted = client.post(f"/admin/{rows}/delete/{edit}/", follow=True)
        assert list_messages(deleted)[0].strip() == "“Friends” is deleted."


@pytest.mark.parametrize(
    ("view", "message"), [(EditPicture(), "“A pier” is saved."), (DeletePicture(), "“A pier” is deleted.")]
)
def test_a_picture_is_named_in_our_words(view: EditPicture | DeletePicture, message: str) -> None:
    view.request = RequestFactory().post("/")
    view.object = Image(title="A pier")
    assert view.get_success_message() == message


def test_the_messages_are_in_the_language_of_the_person() -> None:
    client = sign_in("admin")
    answer = client.post("/admin/topics/add/", {"name": "Ríos"}, follow=True, headers={"accept-language": "es"})
    assert list_messages(answer)[0].startswith("“Ríos” se ha añadido.")
