"""The language in which a member of staff is written to: the one they chose for the desk."""

from typing import Any

from django.conf import settings
from wagtail.users.models import UserProfile


def find_staff_language(person: Any) -> str:
    """A code of the desk's languages, such as “es”; the installation's own for whoever chose none."""
    chosen = UserProfile.objects.filter(user=person).values_list("preferred_language", flat=True).first()
    return chosen or settings.LANGUAGE_CODE
