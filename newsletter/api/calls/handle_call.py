"""Handle each call: check its key and limit, answer repeats, compare its ETag and record it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from time import perf_counter
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja.errors import ValidationError
from ninja.operation import Operation
from ninja.params.models import QueryModel

from newsletter.api.calls.access import identify_caller, too_many_calls
from newsletter.api.calls.limits import Allowance, record_call, take_call
from newsletter.api.calls.preconditions import add_etag
from newsletter.api.calls.problems import Problem
from newsletter.api.calls.repeats import HEADER, answer_once
from newsletter.api.calls.uploads import close_upload, get_upload
from newsletter.models import ApiKey

Run = Callable[..., HttpResponseBase]
_ERRORS = (Problem, ValidationError, RequestDataTooBig, DatabaseError, InterfaceError)


@dataclass(frozen=True)
class Repeat:
    """The way in which a POST may be repeated: `reads` changes nothing, so it runs again; `in_steps` commits by itself.

    The body of an `upload` is a file, which is not held in memory.
    """

    reads: bool = False
    in_steps: bool = False
    upload: bool = False


def repeats(
    *, reads: bool = False, in_steps: bool = False, upload: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a POST that needs no kept answer, that cannot be one transaction, or whose body is a file."""

    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        view.repeat = Repeat(reads=reads, in_steps=in_steps, upload=upload)  # type: ignore[attr-defined]
        return view

    return mark


def repeat_of(operation: Operation) -> Repeat:
    return getattr(operation.view_func, "repeat", None) or Repeat()


def handle_call(run: Run) -> Run:
    """Wrap the run of each operation."""
    operation: Operation = run.__self__  # type: ignore[attr-defined]
    known = [
        name for model in operation.models if issubclass(model, QueryModel) for name in model.__ninja_flatten_map__
    ]

    @wraps(run)
    def handle(request: HttpRequest, **path_values: object) -> HttpResponseBase:
        started, now = perf_counter(), timezone.now()

        def call() -> HttpResponseBase:
            return run(request, **path_values)

        try:
            key = identify_caller(request, now=now)
            if key is None:
                return call()  # answered 401 by `ApiKeyAuth`
            request.api_key = key  # type: ignore[attr-defined]
            allowance = take_call(key, now=now)
        except _ERRORS as error:
            return operation.api.on_exception(request, error)
        try:
            if allowance.is_exceeded:
                raise too_many_calls(allowance.resets_in, f"More than {allowance.limit} calls in a minute")
            _refuse_unknown_parameters(request, known=known)
            repeat = repeat_of(operation)
            if request.method == "POST" and HEADER in request.headers and not repeat.reads:
                body = get_upload(request)[1].encode() if repeat.upload else request.body
                response = answer_once(request, key, call, body=body, in_steps=repeat.in_steps, now=now)
            else:
                response = call()
        except _ERRORS as error:
            response = operation.api.on_exception(request, error)
        finally:
            close_upload(request)
        return _finish(request, response, key=key, allowance=allowance, milliseconds=_since(started))

    return handle


def _refuse_unknown_parameters(request: HttpRequest, *, known: list[str]) -> None:
    """Raise ValidationError for a parameter that the call does not have: with “dry_rum=true”, a file would be imported."""
    says = f"This call has no such parameter. It has: {', '.join(known)}" if known else "This call has no parameters"
    unknown = [
        {"type": "extra_forbidden", "loc": ("query", name[:80]), "msg": says}
        for name in request.GET
        if name not in known
    ]
    if unknown:
        raise ValidationError(unknown)


def _finish(
    request: HttpRequest, response: HttpResponseBase, *, key: ApiKey, allowance: Allowance, milliseconds: int
) -> HttpResponseBase:
    if request.method == "GET" and isinstance(response, HttpResponse):
        response = add_etag(request, response)
    for name, value in allowance.headers().items():
        response[name] = value
    method = request.method or ""
    status = response.status_code
    if status != 503:
        record_call(key, method=method, path=request.path, status=status, milliseconds=milliseconds, now=timezone.now())
    return response


def _since(started: float) -> int:
    return round((perf_counter() - started) * 1000)
