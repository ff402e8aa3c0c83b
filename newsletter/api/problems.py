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

DOCS_HINT = "See docs/reference/api.md and /api/v1/openapi.json."


class Problem(Exception):
    """The call ends here with this status; `detail` says what to do."""

    def __init__(self, status: int, title: str, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers or {}


def problem_response(status: int, title: str, detail: str, **more: Any) -> HttpResponse:
    """The answer; `more` are further members, such as the fields at fault."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    response = HttpResponse(orjson.dumps(document), status=status, content_type="application/problem+json")
    response["Cache-Control"] = "no-store"
    return response


def register_error_handlers(api: NinjaAPI) -> None:
    """What each exception becomes."""
    api.exception_handler(Problem)(_handle_problem)
    api.exception_handler(AuthenticationError)(_handle_missing_key)
    api.exception_handler(ValidationError)(_handle_invalid_fields)
    api.exception_handler(HttpError)(_handle_unreadable_call)
    api.exception_handler(RequestDataTooBig)(_handle_body_too_large)
    api.exception_handler(DataError)(_handle_unstorable_value)
    api.exception_handler(OverflowError)(_handle_unstorable_value)
    api.exception_handler(UnicodeError)(_handle_unstorable_value)
    api.exception_handler(DomainError)(_handle_domain_error)
    api.exception_handler(OperationalError)(_handle_database_unavailable)
    api.exception_handler(InterfaceError)(_handle_database_unavailable)


def unknown_address(request: HttpRequest) -> HttpResponse:
    """Every address under /api/ that is none."""
    return problem_response(404, "There is no such address", f"Check the path and its version, /api/v1/. {DOCS_HINT}")


def _handle_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    response = problem_response(problem.status, problem.title, problem.detail)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def _handle_missing_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = problem_response(
        401,
        "A valid key is missing",
        "Send the header “Authorization: Bearer KEY”. An administrator makes keys in the desk (Settings, API keys) or "
        "with `newsletter api-key add`. A key may also have been revoked, or be past its last day.",
    )
    response["WWW-Authenticate"] = 'Bearer realm="newsletter"'
    return response


def _handle_invalid_fields(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"] if part not in ("body", "data")), "what": fault["msg"]}
        for fault in error.errors
    ]
    first = f"{faults[0]['where']}: {faults[0]['what']}. " if faults else ""
    return problem_response(422, "The call is not as it should be", f"{first}{DOCS_HINT}", errors=faults)


def _handle_unreadable_call(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem_response(
        error.status_code, "The call cannot be read", f"Send one JSON document in UTF-8. {DOCS_HINT}"
    )


def _handle_unstorable_value(request: HttpRequest, error: Exception) -> HttpResponse:
    detail = f"A text has odd characters, or a number is too large. {DOCS_HINT}"
    return problem_response(400, "The call holds a value that cannot be kept", detail)


def _handle_body_too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problem_response(413, "The call is too large", "Send at most 1,000 people and 2.5 MB in one call.")


def _handle_domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    if isinstance(error, NotFound | UnknownPerson):
        return problem_response(404, "Not found", str(error))
    return problem_response(422, "This cannot be done", str(error))


def _handle_database_unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    response = problem_response(
        503, "The database does not answer", "Nothing was changed. Make the same call again in a minute."
    )
    response["Retry-After"] = "60"
    return response
