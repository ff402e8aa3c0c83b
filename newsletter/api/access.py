"""Authentication of API calls: a bearer key with the right scope, and limits per minute. Desk sessions do not count."""

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from newsletter.api.problems import Problem
from newsletter.api_keys import find_key
from newsletter.common.networks import single_client_network
from newsletter.models import ApiKey
from subscribers.consent.throttle import MINUTE, increment_counter, read_counter
from subscribers.web.page import client_address_of

MAX_CALLS_PER_MINUTE = 120
MAX_BAD_KEYS_PER_MINUTE = 20


class ApiKeyAuth(HttpBearer):
    """Accept a valid key with this scope, and set it as `request.auth`.

    The key is looked up before wrong keys are counted, so that other people's wrong keys never block a right one.
    """

    openapi_scheme = "bearer"

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        now = timezone.now()
        key = find_key(token, now=now)
        if key is None:
            network = single_client_network(client_address_of(request))
            if read_counter(f"bad api key {network}", now=now, window=MINUTE) > MAX_BAD_KEYS_PER_MINUTE:
                raise _too_many_calls(now, "Too many calls with a wrong key")
            increment_counter(f"bad api key {network}", now=now, window=MINUTE)
            return None
        if increment_counter(f"api key {key.pk}", now=now, window=MINUTE) > MAX_CALLS_PER_MINUTE:
            raise _too_many_calls(now, f"More than {MAX_CALLS_PER_MINUTE} calls in a minute")
        if self.scope not in key.scope.split():
            raise Problem(
                403,
                "This key does not allow this call",
                f"The key “{key.name}” has the scope “{key.scope}”; this call needs “{self.scope}”. "
                "Ask an administrator for another key.",
            )
        return key


def label_caller(key: ApiKey) -> str:
    """Return the name under which the records of people note a change by this key."""
    return f"API: {key.name}"


def _too_many_calls(now: datetime, title: str) -> Problem:
    wait = 60 - now.second
    detail = f"Wait {wait} seconds, then send fewer calls a minute."
    return Problem(429, title, detail, headers={"Retry-After": str(wait)})
