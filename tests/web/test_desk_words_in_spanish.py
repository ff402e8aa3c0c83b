"""Words of desk pages that are not in a template: labels of numbers, filters and tables, in the reader's language."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from wagtail.users.models import UserProfile

from tests.support.desk import sign_in
from tests.support.desk_imports import run_imports, upload

pytestmark = pytest.mark.django_db
TERMS = {"kind": "join", "basis": "consent", "evidence": "Hoja de la feria", "encoding": "utf-8", "column_0": "email"}


def sign_in_spanish(role: str) -> Client:
    client = sign_in(role)
    UserProfile.objects.update_or_create(user=User.objects.get(), defaults={"preferred_language": "es"})
    return client


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
