"""Calls of the API in tests: a key, a call, and the parts of a problem."""

import json
import re
from collections.abc import Iterable
from typing import Any

from django.test import Client
from django.utils import timezone

from newsletter.api.urls import api
from newsletter.api_keys import make_key
from subscribers.models import MailingList


def create_key(
    scope: str = "people", name: str = "", *, lists: Iterable[MailingList] | None = None, **more: Any
) -> str:
    """Return the text of a new key."""
    name = name or f"the {scope} key"[:120]
    return make_key(name=name, scope=scope, by="admin@example.org", now=timezone.now(), lists=lists, **more)[1]


def call(
    method: str,
    path: str,
    body: object = None,
    *,
    key: str = "",
    client: Client | None = None,
    text: str = "",
    **headers: str,
) -> Any:
    """Call the API with a JSON body, or with ``text`` as it is. Headers are named with underscores, as ``if_match``."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    content_type = sent.pop("content-type", "application/json")
    if key:
        sent["Authorization"] = f"Bearer {key}"
    return (client or Client()).generic(
        method.upper(),
        f"/api/v1/{path}",
        text if body is None else json.dumps(body),
        content_type=content_type,
        headers=sent,
    )


def problem(response: Any, status: int) -> str:
    """Return the detail of a problem, after checking its status and members."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    document = response.json()
    assert document["status"] == status
    assert document["title"]
    return str(document["detail"])


def list_openapi_calls() -> list[tuple[str, str]]:
    """Return method and path of every call in the OpenAPI document, with 1 for the parameters."""
    paths = api.get_openapi_schema()["paths"]
    return [
        (method, re.sub(r"\{.*?\}", "1", path).removeprefix("/api/v1/"))
        for path, calls in paths.items()
        for method in calls
    ]


def fill_path(path: str) -> str:
    """Return a path of the OpenAPI document without its beginning, and with 1 for each parameter."""
    return re.sub(r"\{.*?\}", "1", path).removeprefix("/api/v1/")
