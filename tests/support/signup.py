"""Signs people up as a browser does: opens the page, solves its sum, waits, sends the form."""

import base64
import json
import re
from datetime import timedelta
from html import unescape

import time_machine
from altcha import solve_challenge_v1
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from subscribers.models import MailingList


def join(
    client: Client,
    mailing_list: MailingList,
    *,
    seconds: float = 10,
    proven: bool = True,
    headers: dict[str, str] | None = None,
    client_address: str = "192.0.2.1",
    **fields: object,
) -> HttpResponse:
    """The answer to the form. `proven`: with JavaScript, which brings the solution of the page's sum along."""
    page = f"/join/{mailing_list.slug}"
    opened = timezone.now()
    with time_machine.travel(opened, tick=False):
        form = client.get(page, headers=headers).content.decode()
    given = {"email": "ada@example.org", "started": read(form, 'name="started" value'), **fields}
    if proven:
        given.setdefault("altcha", solve(form))
    with time_machine.travel(opened + timedelta(seconds=seconds), tick=False):
        return client.post(page, given, headers=headers, REMOTE_ADDR=client_address)


def solve(form: str) -> str:
    """The payload that the page's script would send."""
    challenge, salt = read(form, "data-challenge"), read(form, "data-salt")
    solution = solve_challenge_v1(challenge, salt, "SHA-256", int(read(form, "data-most")))
    assert solution is not None
    payload = {
        "algorithm": "SHA-256",
        "challenge": challenge,
        "number": solution.number,
        "salt": salt,
        "signature": read(form, "data-signature"),
    }
    return base64.b64encode(json.dumps(payload).encode()).decode()


def read(page: str, before: str) -> str:
    found = re.search(f'{before}="([^"]*)"', page)
    assert found, f"{before} is not on the page"
    return unescape(found[1])
