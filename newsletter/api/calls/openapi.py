"""Complete the OpenAPI document that django-ninja makes: errors, headers, scopes and recorded examples of every call."""

from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from newsletter.api.calls.access import ApiKeyAuth
from newsletter.api.calls.handle_call import repeat_of
from newsletter.api.calls.repeats import HEADER, MAX_KEY_LENGTH

JsonObject = dict[str, Any]
EXAMPLES_FILE = Path(__file__).parent.parent / "examples.json"
_PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "An error (RFC 9457). `detail` says what to do; programs decide by `code`.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "description": "The invalid fields.",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "what"],
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}
_EVERY_CALL = (400, 401, 403, 429, 503)
_RESPONSE_HEADERS = {
    "RateLimit": {"description": "Calls that remain in this minute.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "Calls a minute of this key.", "schema": {"type": "string"}},
}
_ONCE = "A repeat within 24 hours gets the same answer and does nothing."


def complete_document(document: OpenAPISchema, api: NinjaAPI) -> OpenAPISchema:
    """Add to the document what holds for all calls, and return it."""
    components = document["components"]
    components.setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key of the API, with one of the scopes listed."}
    }
    operations = list_operations(api)
    for path, methods in document["paths"].items():
        for method, details in methods.items():
            _complete_call(f"{method.upper()} {path}", details, operations[details["operationId"]])
    return document


def list_operations(api: NinjaAPI) -> dict[str, Operation]:
    """Return the operations by their ids in the document."""
    return {
        api.get_openapi_operation_id(operation): operation
        for router in api._get_bound_routers()
        for view in router.path_operations.values()
        for operation in view.operations
    }


def scopes_of(operation: Operation) -> list[str]:
    """Return the scopes of which a key needs one for this call."""
    return [str(scope) for auth in operation.auth_callbacks if isinstance(auth, ApiKeyAuth) for scope in auth.scopes]


@cache
def load_examples() -> dict[str, list[JsonObject]]:
    """Return the recorded calls by method and path of the document, each with `title`, `request`, `status` and `answer`."""
    examples: dict[str, list[JsonObject]] = orjson.loads(EXAMPLES_FILE.read_bytes())
    return examples


def _complete_call(name: str, details: JsonObject, operation: Operation) -> None:
    method = name.split()[0]
    details["security"] = [{"key": [scope]} for scope in scopes_of(operation)]
    parameters = details["parameters"]
    if method == "POST" and not repeat_of(operation).reads:
        parameters.append(_header(HEADER, f"Your own id of this call, at most {MAX_KEY_LENGTH} characters. {_ONCE}"))
    has_path_values = "{" in name
    if method == "GET":
        parameters.append(_header("If-None-Match", "The ETag that you have: unchanged is answered 304."))
    if method in ("PATCH", "PUT", "DELETE") and has_path_values:
        parameters.append(_header("If-Match", "The ETag that you read: a change since then is answered 412."))
    responses = details["responses"]
    for answer in responses.values():
        answer["headers"] = dict(_RESPONSE_HEADERS)
        if method == "GET":
            answer["headers"]["ETag"] = {"schema": {"type": "string"}}
    if method == "GET":
        responses[304] = {"description": "Not Modified"}
    if any(parameter["in"] == "query" for parameter in parameters):
        responses[414] = {"description": "URI Too Long"}  # answered by the web server, before the API
    for status in _list_error_statuses(method, details, has_path_values):
        responses.setdefault(status, problem_answer(status))
    _add_examples(details, load_examples().get(name, []))


def _list_error_statuses(method: str, details: JsonObject, has_path_values: bool) -> list[int]:
    statuses = [*_EVERY_CALL]
    if "requestBody" in details or details["parameters"]:
        statuses.append(422)
    if "requestBody" in details:
        statuses += [404, 413]
    if has_path_values or details["parameters"]:
        statuses.append(404)
    if method != "GET":
        statuses += [409, 412]
    return sorted(set(statuses))


def problem_answer(status: int) -> JsonObject:
    """Return the part of the document for an error with this status."""
    return {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _header(name: str, description: str) -> JsonObject:
    return {"in": "header", "name": name, "required": False, "description": description, "schema": {"type": "string"}}


def _add_examples(details: JsonObject, examples: list[JsonObject]) -> None:
    for number, example in enumerate(examples):
        name, summary = f"example{number + 1}", example["title"]
        for content in details.get("requestBody", {}).get("content", {}).values():
            if "body" in example:
                content.setdefault("examples", {})[name] = {"summary": summary, "value": example["body"]}
        for content in details["responses"].get(example["status"], {}).get("content", {}).values():
            content.setdefault("examples", {})[name] = {"summary": summary, "value": example["answer"]}
