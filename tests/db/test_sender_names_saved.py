"""A sender's name that mailboxes take for a forgery is refused wherever it is saved."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from newsletter.common.errors import BadFile
from newsletter.organisation.upsert import upsert
from tests.support.fixtures import make_publication

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["boss@bank.example", "bank.example", "News <x>"])
def test_a_publication_under_another_name_is_refused_by_desk_and_file(name: str) -> None:
    publication = make_publication()
    with pytest.raises(BadFile, match="from_name"):
        upsert(kind="publication", name="weekly", row=publication, values={"from_name": name})
    publication.refresh_from_db()
    assert publication.from_name == "Open Door"
    publication.from_name = name
    with pytest.raises(ValidationError) as refused:
        publication.full_clean()
    assert set(refused.value.message_dict) == {"from_name"}


@pytest.mark.parametrize("changes", [{"from_name": "News.example.org"}, {"from_name": "Example.org team"}])
def test_a_publication_may_name_its_own_domain(changes: dict[str, Any]) -> None:
    publication = make_publication()
    assert upsert(kind="publication", name="weekly", row=publication, values=changes).action == "updated"


def test_a_brand_may_name_its_own_site_and_no_other() -> None:
    brand = make_publication().brand
    upsert(kind="brand", name="default", row=brand, values={"name": "Example.org"})
    with pytest.raises(BadFile, match="name"):
        upsert(kind="brand", name="default", row=brand, values={"name": "Bank.example"})
