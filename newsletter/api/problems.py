"""Every refusal of the API as problem JSON (RFC 9457): what happened, and what to do."""

from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from newsletter.common.errors import DomainError, NotFound
from subscribers.people.lookup import UnknownPerson

SEE = "See docs/api.md and /api/v1/openapi.json."


class Problem(Exception):
    """The call ends here with this status; `detail` says what to do."""

    def __init__(self, status: int, title: str, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers or {}


def write_problem(status: int, title: str, detail: str, **more: Any) -> HttpResponse:
    """The answer; `more` are further members, such as the fields at fault."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    response = HttpResponse(orjson.dumps(document), status=status, content_type="application/problem+json")
    response["Cache-Control"] = "no-store"
    return response


def add_handlers(api: NinjaAPI) -> None:
    """What each exception becomes."""
    api.exception_handler(Problem)(_say_problem)
    api.exception_handler(AuthenticationError)(_ask_for_key)
    api.exception_handler(ValidationError)(_say_fields)
    api.exception_handler(HttpError)(_say_unreadable)
    api.exception_handler(RequestDataTooBig)(_say_too_big)
    api.exception_handler(DataError)(_say_no_value)
    api.exception_handler(OverflowError)(_say_no_value)
    api.exception_handler(UnicodeError)(_say_no_value)
    api.exception_handler(DomainError)(_say_refusal)
    api.exception_handler(OperationalError)(_say_away)
    api.exception_handler(InterfaceError)(_say_away)


def say_unknown(request: HttpRequest) -> HttpResponse:
    """Every address under /api/ that is none."""
    return write_problem(404, "There is no such address", f"Check the path and its version, /api/v1/. {SEE}")


def _say_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    response = write_problem(problem.status, problem.title, problem.detail)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def _ask_for_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = write_problem(
        401,
        "A valid key is missing",
        "Send the header “Authorization: Bearer KEY”. An administrator makes keys in the desk (Settings, API keys) or "
        "with `newsletter api-key add`. A key may also have been revoked, or be past its last day.",
    )
    response["WWW-Authenticate"] = 'Bearer realm="newsletter"'
    return response


def _say_fields(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"] if part not in ("body", "data")), "what": fault["msg"]}
        for fault in error.errors
    ]
    first = f"{faults[0]['where']}: {faults[0]['what']}. " if faults else ""
    return write_problem(422, "The call is not as it should be", f"{first}{SEE}", errors=faults)


def _say_unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    return write_problem(error.status_code, "The call cannot be read", f"Send one JSON document in UTF-8. {SEE}")


def _say_no_value(request: HttpRequest, error: Exception) -> HttpResponse:
    detail = f"A text has odd characters, or a number is too large. {SEE}"
    return write_problem(400, "The call holds a value that cannot be kept", detail)


def _say_too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return write_problem(413, "The call is too large", "Send at most 1,000 people and 2.5 MB in one call.")


def _say_refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    if isinstance(error, NotFound | UnknownPerson):
        return write_problem(404, "Not found", str(error))
    return write_problem(422, "This cannot be done", str(error))


def _say_away(request: HttpRequest, error: Exception) -> HttpResponse:
    response = write_problem(
        503, "The database does not answer", "Nothing was changed. Make the same call again in a minute."
    )
    response["Retry-After"] = "60"
    return response
