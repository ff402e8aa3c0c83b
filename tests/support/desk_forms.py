"""Forms of the desk in tests: read as the page filled them in, changed, and sent."""

from typing import Any

import lxml.html
from django.test import Client


def filled_in(page: str) -> dict[str, Any]:
    """Return what a browser would send of the editor's form: each field as the page filled it in."""
    form = next(form for form in lxml.html.fromstring(page).forms if "csrfmiddlewaretoken" in form.fields)
    values: dict[str, Any] = {}
    for name, value in form.form_values():
        values.setdefault(name, []).append(value)
    return values


def save(client: Client, address: str, **typed: object) -> str:
    """Open a form, type into it, save it, and return the page that follows."""
    fields = filled_in(client.get(address).content.decode())
    return client.post(address, {**fields, **typed}, follow=True).content.decode()
