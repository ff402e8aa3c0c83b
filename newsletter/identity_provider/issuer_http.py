"""Requests to the identity provider: guarded like every fetch, with a limit of time and size, and answered in JSON."""

import json
from collections.abc import Mapping

from django.conf import settings

from newsletter.content.fetching.credentials import Credential
from newsletter.content.fetching.errors import FetchError
from newsletter.content.fetching.fetcher import Fetcher, Limits
from newsletter.content.fetching.form_poster import post_form
from newsletter.identity_provider.errors import IssuerUnavailable
from newsletter.identity_provider.settings import IdentityProvider

LIMITS = Limits(max_bytes=1024 * 1024, connect=3.0, first_byte=5.0, total=8.0)


def get_json(url: str, *, provider: IdentityProvider, bearer: str = "") -> dict[str, object]:
    """Return the JSON object at the address. Raises IssuerUnavailable."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    try:
        fetched = Fetcher(allow=_allowed(provider)).fetch(
            url, limits=LIMITS, accept="application/json", credential=Credential(headers=headers)
        )
    except FetchError as error:
        raise make_unreachable(provider, detail=f"{url}: {error}") from error
    return read_object(fetched.body, provider=provider, url=url)


def post_for_json(
    url: str, fields: Mapping[str, str], *, provider: IdentityProvider, headers: Mapping[str, str]
) -> tuple[int, dict[str, object]]:
    """Post a form. Return the status and the JSON object of the answer. Raises IssuerUnavailable."""
    try:
        answer = post_form(url, fields, headers=headers, allow=_allowed(provider), limits=LIMITS)
    except FetchError as error:
        raise make_unreachable(provider, detail=f"{url}: {error}") from error
    if answer.status >= 500:
        raise make_unreachable(provider, detail=f"{url} answered with status {answer.status}")
    return answer.status, read_object(answer.body, provider=provider, url=url)


def read_object(body: bytes, *, provider: IdentityProvider, url: str) -> dict[str, object]:
    """Return the JSON object. Raises IssuerUnavailable for anything else."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise make_nonsense(provider, detail=f"{url}: no JSON") from error
    if not isinstance(parsed, dict):
        raise make_nonsense(provider, detail=f"{url}: no JSON object")
    return parsed


def make_unreachable(provider: IdentityProvider, *, detail: str) -> IssuerUnavailable:
    """Return the error for an issuer that does not answer."""
    return IssuerUnavailable(
        "%(name)s did not answer, so you are not signed in. Try again in a few minutes. If it stays like this, tell an "
        "administrator.",
        name=provider.name,
        code="issuer_down",
        detail=detail,
    )


def make_nonsense(provider: IdentityProvider, *, detail: str) -> IssuerUnavailable:
    """Return the error for an answer that is not understood."""
    return IssuerUnavailable(
        "%(name)s sent an answer that was not understood, so you are not signed in. Try again. If it stays like this, "
        "tell an administrator: the staff log says what was wrong.",
        name=provider.name,
        code="issuer_answer",
        detail=detail,
    )


def _allowed(provider: IdentityProvider) -> list[str]:
    """Let the issuer itself be on a private network, because the settings name it."""
    return [provider.host, *settings.NEWSLETTER_FETCH_ALLOW]
