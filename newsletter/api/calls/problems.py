"""Errors of the API as problem JSON (RFC 9457): what happened, and what to do."""

from collections.abc import Callable, Mapping
from functools import wraps

import orjson
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from newsletter.common.errors import BadAddress, BadRule, DomainError, InUse, NotFound, UnknownPlace, WrongState
from subscribers.identity import OtherAddressKey
from subscribers.people.lookup import UnknownPerson

DOCS_HINT = "/api/v1/openapi.json describes all calls."
CODES: dict[type[DomainError], str] = {
    BadAddress: "invalid_address",
    BadRule: "invalid_rule",
    InUse: "in_use",
    UnknownPlace: "unknown_place",
    WrongState: "wrong_state",
}


class Problem(Exception):
    """An error answer with this status. `detail` says what to do; programs decide by `code`."""

    def __init__(
        self, status: int, title: str, detail: str, *, code: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.code, self.headers = status, title, detail, code, headers or {}


def problem_response(status: int, title: str, detail: str, *, code: str, **more: object) -> HttpResponse:
    """Return the answer. `more` holds further members, such as the invalid fields."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, **more}
    response = HttpResponse(orjson.dumps(document), status=status, content_type="application/problem+json")
    response["Cache-Control"] = "no-store"
    return response


def register_error_handlers(api: NinjaAPI) -> None:
    """Register a handler for each exception that a call can raise."""
    api.exception_handler(Problem)(_handle_problem)
    api.exception_handler(AuthenticationError)(_handle_missing_key)
    api.exception_handler(ValidationError)(_handle_invalid_fields)
    api.exception_handler(ModelValidationError)(_handle_invalid_values)
    api.exception_handler(HttpError)(_handle_unreadable_call)
    api.exception_handler(RequestDataTooBig)(_handle_body_too_large)
    api.exception_handler(DataError)(_handle_unstorable_value)
    api.exception_handler(OverflowError)(_handle_unstorable_value)
    api.exception_handler(UnicodeError)(_handle_unstorable_value)
    api.exception_handler(DomainError)(_handle_domain_error)
    api.exception_handler(OtherAddressKey)(_handle_other_address_key)
    api.exception_handler(OperationalError)(_handle_database_unavailable)
    api.exception_handler(InterfaceError)(_handle_database_unavailable)


def unknown_address(request: HttpRequest) -> HttpResponse:
    """Answer any path under /api/ that does not exist."""
    return problem_response(
        404, "There is no such path", f"Check the path and its version, /api/v1/. {DOCS_HINT}", code="unknown_path"
    )


def answer_wrong_method(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Wrap the view of a path, so that a method that it does not have is answered by a problem."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        problem = problem_response(
            405,
            "This path has no such method",
            f"It has {response['Allow']}. {DOCS_HINT}",
            code="wrong_method",
        )
        problem["Allow"] = response["Allow"]
        return problem

    return answer


def _handle_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    response = problem_response(problem.status, problem.title, problem.detail, code=problem.code)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def _handle_missing_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = problem_response(
        401,
        "This call needs a valid key",
        "Send the header “Authorization: Bearer KEY”. An administrator creates keys in the desk (Settings, API keys) or "
        "with `newsletter api-key add`. Your key may have been revoked or may have expired.",
        code="invalid_key",
    )
    response["WWW-Authenticate"] = 'Bearer realm="newsletter"'
    return response


def _handle_invalid_fields(request: HttpRequest, error: ValidationError) -> HttpResponse:
    invalid = [_describe_invalid_field(problem) for problem in error.errors]
    first = ": ".join(filter(None, invalid[0].values())) + ". " if invalid else ""
    return problem_response(422, "A field is invalid", f"{first}{DOCS_HINT}", code="invalid_field", errors=invalid)


def _describe_invalid_field(problem: Mapping[str, object]) -> dict[str, str]:
    """Return where a field is and what is wrong with it. A body that is no object has no field, so "where" is empty."""
    parts = problem["loc"]
    where = ".".join(str(part) for part in parts if part not in ("body", "data")) if isinstance(parts, tuple) else ""
    if not where and problem["type"] in ("missing", "model_type", "model_attributes_type", "dict_type"):
        return {"where": "", "what": "The body must be a JSON object with the fields of this call"}
    return {"where": where, "what": str(problem["msg"]).removeprefix("Value error, ")}


def _handle_invalid_values(request: HttpRequest, error: ModelValidationError) -> HttpResponse:
    fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    invalid = [
        {"where": "" if name == "__all__" else name, "what": text} for name, texts in fields.items() for text in texts
    ]
    first = ": ".join(part for part in invalid[0].values() if part)
    return problem_response(422, "A field is invalid", f"{first} {DOCS_HINT}", code="invalid_field", errors=invalid)


def _handle_unreadable_call(request: HttpRequest, error: HttpError) -> HttpResponse:
    detail = f"Send one JSON document in UTF-8. {DOCS_HINT}"
    return problem_response(error.status_code, "The body is not valid JSON", detail, code="invalid_json")


def _handle_unstorable_value(request: HttpRequest, error: Exception) -> HttpResponse:
    detail = f"A text contains invalid characters, or a number is too large. Correct it and call again. {DOCS_HINT}"
    return problem_response(400, "A value cannot be stored", detail, code="unstorable_value")


def _handle_body_too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    detail = "Send at most 1,000 people and 2.5 MB in one call."
    return problem_response(413, "The call is too large", detail, code="call_too_large")


def _handle_domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    if isinstance(error, NotFound | UnknownPerson):
        return problem_response(404, "Not found", str(error), code="not_found")
    if isinstance(error, WrongState | InUse):
        return problem_response(409, "This cannot be done now", str(error), code=CODES.get(type(error), "wrong_state"))
    return problem_response(422, "This cannot be done", str(error), code=CODES.get(type(error), "refused"))


def _handle_other_address_key(request: HttpRequest, error: OtherAddressKey) -> HttpResponse:
    """Answer 503, so that the caller makes the call again once the operator has set the right key."""
    response = problem_response(503, "This cannot be done yet", str(error), code="address_key_differs")
    response["Retry-After"] = "60"
    return response


def _handle_database_unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    response = problem_response(
        503,
        "The database is not available",
        "Nothing was changed. Make the same call again in a minute.",
        code="database_unavailable",
    )
    response["Retry-After"] = "60"
    return response
