"""Imports started in the desk."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from subscribers.importing.writing.import_steps import process_pending_imports
from subscribers.models import ImportBatch, MailingList
from tests.support.people import make_list


def upload(client: Client, text: str, **fields: object) -> ImportBatch:
    """Upload a file in the desk and return its import."""
    file = SimpleUploadedFile("people.csv", text.encode())
    mailing_list = MailingList.objects.first() or make_list()
    given = {"file": file, "mailing_list": mailing_list.pk, **fields}
    response = client.post(reverse("subscribers_import_new"), given)
    assert response.status_code == 302, response.context["form"].errors
    return ImportBatch.objects.latest("pk")


def run_imports() -> None:
    """Run the imports that wait, as the worker does."""
    process_pending_imports(clock=timezone.now)
