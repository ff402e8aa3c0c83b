"""`Idempotency-Key`: a POST that succeeded is answered again, and not done again, for 24 hours.

An error is not kept: nothing was done, so the corrected call may use the same key.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from newsletter.api.calls.problems import Problem
from newsletter.api_keys import ANSWERS_KEPT
from newsletter.common.sealing import Sealer
from newsletter.models import ApiAnswer, ApiKey

HEADER, MAX_KEY_LENGTH = "Idempotency-Key", 255
_LONGEST_CALL = timedelta(minutes=10)


def read_idempotency_key(request: HttpRequest) -> str:
    """Return the key that the caller chose. Raise Problem for an invalid one."""
    name = request.headers[HEADER].strip()
    if not (name.isascii() and name.isprintable() and 1 <= len(name) <= MAX_KEY_LENGTH):
        raise Problem(
            400,
            "The Idempotency-Key is invalid",
            f"Send 1 to {MAX_KEY_LENGTH} printable ASCII characters, such as a UUID.",
            code="invalid_idempotency_key",
        )
    return name


def answer_once(
    request: HttpRequest,
    key: ApiKey,
    call: Callable[[], HttpResponseBase],
    *,
    body: bytes,
    in_steps: bool,
    now: datetime,
) -> HttpResponseBase:
    """Return the answer of `call`, or the kept one of the same call before. `body` is the body, or a digest of it.

    The row and what the call does are one transaction, so the second of two at once waits and gets the answer of the
    first. With ``in_steps``, a call that commits by itself, the second is answered 409.
    """
    name = read_idempotency_key(request)
    row = {"key": key, "idempotency_key": name}
    content = f"{request.method} {request.get_full_path()}\n".encode() + body
    values = {"request_hash": hashlib.sha256(content).hexdigest(), "at": now}
    ApiAnswer.objects.filter(**row, at__lt=now - ANSWERS_KEPT).delete()
    if in_steps:
        return _answer_in_steps(row, values, call)
    with transaction.atomic():
        answer, created = ApiAnswer.objects.get_or_create(**row, defaults=values)
        if not created:
            return _replay(answer, values)
        response = call()
        if not _keep(answer, response):
            transaction.set_rollback(True)
        return response


def _answer_in_steps(
    row: dict[str, object], values: dict[str, object], call: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    answer, created = ApiAnswer.objects.get_or_create(**row, defaults=values)
    if not created:
        stale = ApiAnswer.objects.filter(pk=answer.pk, status=None, at__lt=values["at"] - _LONGEST_CALL)  # type: ignore[operator]
        if answer.status is not None or answer.request_hash != values["request_hash"] or not stale.update(**values):
            return _replay(answer, values)
    is_stored = False
    try:
        response = call()
        is_stored = _keep(answer, response)
    finally:
        if not is_stored:
            answer.delete()
    return response


def _replay(answer: ApiAnswer, values: dict[str, object]) -> HttpResponse:
    if answer.request_hash != values["request_hash"]:
        raise Problem(
            422,
            "This Idempotency-Key was used for another call",
            "Nothing was done. Use a new key for each new call; repeat a call with the same method, address and body.",
            code="idempotency_key_reused",
        )
    content = _sealer().unseal(answer.sealed_content) if answer.status else None
    if answer.status is None or content is None:
        raise Problem(
            409,
            "The same call is still running",
            "Repeat it in a few seconds to get its answer.",
            code="call_is_running",
            headers={"Retry-After": "5"},
        )
    response = HttpResponse(content, status=answer.status, content_type="application/json; charset=utf-8")
    response["Cache-Control"] = "no-store"
    response["Idempotent-Replayed"] = "true"
    return response


def _keep(answer: ApiAnswer, response: HttpResponseBase) -> bool:
    """Store a successful answer and return True."""
    if not (isinstance(response, HttpResponse) and 200 <= response.status_code < 300):
        return False
    answer.status, answer.sealed_content = response.status_code, _sealer().seal(response.content.decode())
    answer.save(update_fields=["status", "sealed_content"])
    return True


@lru_cache(maxsize=1)
def _sealer() -> Sealer:
    return Sealer(b"newsletter.api.answers")
