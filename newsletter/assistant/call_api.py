"""Make a call of the API in this process, with a key: the same checks, limits and records as a call by HTTP."""

import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.urls import resolve

from newsletter.assistant.offered_calls import IF_MATCH, OfferedCall
from subscribers.outbound_events import acting_through

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ApiAnswer:
    """The status, the JSON document and the ETag of an answer."""

    status: int
    document: Any
    etag: str = ""

    @property
    def is_error(self) -> bool:
        return self.status >= 400


def call_api(call: OfferedCall, arguments: Mapping[str, Any], *, key: str) -> ApiAnswer:
    """Make the call. An argument that it does not have, or one that its path needs, is an error as of the API."""
    unknown = sorted(arguments.keys() - call.arguments["properties"].keys())
    missing = sorted(call.path_names - arguments.keys())
    if unknown or missing:
        wrong = f"“{unknown[0]}” is unknown" if unknown else f"“{missing[0]}” is missing"
        return ApiAnswer(422, {"title": "An argument is invalid", "detail": f"{wrong}. See the tool's arguments."})
    path = call.path
    for name in call.path_names:
        path = path.replace(f"{{{name}}}", quote(str(arguments[name]), safe=""))
    path_and_query_names = {*call.path_names, *call.query_names, IF_MATCH}
    body = {name: value for name, value in arguments.items() if name not in path_and_query_names}
    request = _make_request(
        call.method,
        path,
        query=urlencode({name: arguments[name] for name in call.query_names & arguments.keys()}),
        body=orjson.dumps(body) if call.method != "GET" else b"",
        headers={"AUTHORIZATION": f"Bearer {key}", **_if_match(arguments)},
    )
    close_old_connections()
    try:
        with acting_through(""):
            return _answer(request)
    except Exception:  # as Django does for a request: one broken call must not end the assistant's session
        logger.exception("%s %s failed", call.method, call.path)
        return ApiAnswer(500, {"title": "The call failed", "detail": "Nothing is known of its result. Tell staff."})
    finally:
        close_old_connections()


def _answer(request: WSGIRequest) -> ApiAnswer:
    match = resolve(request.path_info)
    response = match.func(request, *match.args, **match.kwargs)
    document = orjson.loads(response.content) if response.content else None
    return ApiAnswer(response.status_code, document, response.headers.get("ETag", ""))


def _if_match(arguments: Mapping[str, Any]) -> dict[str, str]:
    etag = str(arguments.get(IF_MATCH) or "").replace("\r", "").replace("\n", "")
    return {"IF_MATCH": etag} if etag else {}


def _make_request(method: str, path: str, *, query: str, body: bytes, headers: Mapping[str, str]) -> WSGIRequest:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name}": value for name, value in headers.items()},
    }
    return WSGIRequest(environ)
