"""Authentication of API calls: a bearer key with the right scope. Desk sessions do not count."""

import re
from datetime import datetime

from django.http import HttpRequest
from ninja.security import HttpBearer

from newsletter.api.calls.problems import Problem
from newsletter.api_keys import find_key
from newsletter.common.networks import single_client_network
from newsletter.models import ApiKey, ApiScope
from subscribers.consent.throttle import MINUTE, increment_counter, read_counter
from subscribers.models import MailingList
from subscribers.outbound_events import api_origin, set_origin
from subscribers.web.page import client_address_of

MAX_BAD_KEYS_PER_MINUTE = 20
_KEY_IN_URL = re.compile(r"nl_[\w-]{43}")


class ApiKeyAuth(HttpBearer):
    """Accept a valid key that has one of these scopes, and set it as `request.auth`."""

    openapi_scheme = "bearer"

    def __init__(self, *scopes: ApiScope) -> None:
        super().__init__()
        self.scopes = scopes

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key: ApiKey | None = getattr(request, "api_key", None)
        if key is None:
            return None
        if not set(self.scopes) & set(key.scopes):
            needed = " or ".join(f"“{scope}”" for scope in self.scopes)
            raise Problem(
                403,
                "This key does not allow this call",
                f"The key “{key.name}” has the scope “{key.scope}”; this call needs {needed}. "
                "Ask an administrator for another key.",
                code="scope_too_small",
            )
        set_origin(api_origin(key.name))
        return key


def identify_caller(request: HttpRequest, *, now: datetime) -> ApiKey | None:
    """Return the valid key of a call, or None. Raise Problem after too many wrong keys.

    The key is looked up before wrong keys are counted, so that other people's wrong keys never block a right one.
    """
    if _KEY_IN_URL.search(request.get_full_path()):
        raise Problem(
            400,
            "A key does not belong in an address",
            "Addresses are written to logs. Revoke this key, make another, and send it in the header “Authorization”.",
            code="key_in_url",
        )
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    key = find_key(token, now=now)
    if key is None:
        network = single_client_network(client_address_of(request))
        if read_counter(f"bad api key {network}", now=now, window=MINUTE) > MAX_BAD_KEYS_PER_MINUTE:
            raise too_many_calls(60 - now.second, "Too many calls with a wrong key")
        increment_counter(f"bad api key {network}", now=now, window=MINUTE)
    return key


def get_key(request: HttpRequest) -> ApiKey:
    """Return the key of a call that `ApiKeyAuth` accepted."""
    key: ApiKey = request.auth  # type: ignore[attr-defined]  # `ApiKeyAuth` sets it
    return key


def label_caller(key: ApiKey) -> str:
    """Return the name under which the records of people note a change by this key."""
    return f"API: {key.name}"


def require_all_lists(key: ApiKey, what: str) -> None:
    """Raise Problem if the key is limited to lists. ``what`` says what concerns every list."""
    if not key.all_lists:
        raise Problem(
            403,
            "This key is limited to some lists",
            f"{what} Ask an administrator for a key for all lists.",
            code="key_limited_to_lists",
        )


def lists_of(key: ApiKey) -> set[int] | None:
    """Return the ids of the lists that the key is limited to, or None for all."""
    return (
        None if key.all_lists else set(MailingList.objects.filter(pk__in=key.lists.all()).values_list("pk", flat=True))
    )


def too_many_calls(wait: int, title: str) -> Problem:
    detail = f"Wait {wait} seconds, then send fewer calls a minute."
    return Problem(429, title, detail, code="too_many_calls", headers={"Retry-After": str(wait)})
