"""The calls of the API that an assistant gets as tools, and the form of their arguments, made from the OpenAPI document.

No call is here that names people, and none that approves, sends, stops, reveals or exports: the API has none of the latter.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from newsletter.api.urls import api

JsonObject = dict[str, Any]
IF_MATCH = "if_match"
_V1 = "/api/v1"
OFFERED_CALLS = {
    "list_publications": f"GET {_V1}/publications",
    "read_publication": f"GET {_V1}/publications/{{publication}}",
    "list_issues": f"GET {_V1}/issues",
    "read_issue": f"GET {_V1}/issues/{{issue}}",
    "check_issue": f"POST {_V1}/issues/{{issue}}/check",
    "rehearse_issue": f"GET {_V1}/issues/{{issue}}/rehearsal",
    "preview_version": f"GET {_V1}/issues/{{issue}}/versions/{{version}}",
    "list_block_types": f"GET {_V1}/block-types",
    "list_stories": f"GET {_V1}/stories",
    "read_story": f"GET {_V1}/stories/{{story}}",
    "list_events": f"GET {_V1}/events",
    "read_event": f"GET {_V1}/events/{{event}}",
    "list_appeals": f"GET {_V1}/appeals",
    "list_sources": f"GET {_V1}/sources",
    "list_lists": f"GET {_V1}/lists",
    "list_topics": f"GET {_V1}/topics",
    "list_sends": f"GET {_V1}/sends",
    "read_send": f"GET {_V1}/sends/{{send}}",
    "read_report": f"GET {_V1}/sends/{{send}}/report",
    "read_receipt": f"GET {_V1}/issues/{{issue}}/receipt",
    "create_issue": f"POST {_V1}/issues",
    "propose_subject": f"PATCH {_V1}/issues/{{issue}}",
    "add_block": f"POST {_V1}/issues/{{issue}}/blocks",
    "change_block": f"PATCH {_V1}/issues/{{issue}}/blocks/{{block}}",
    "delete_block": f"DELETE {_V1}/issues/{{issue}}/blocks/{{block}}",
    "add_story": f"POST {_V1}/stories",
}
_READING_POSTS = frozenset({"check_issue"})


@dataclass(frozen=True)
class OfferedCall:
    """A call as a tool. ``path_names`` and ``query_names`` are the arguments that are no part of the body."""

    name: str
    method: str
    path: str
    title: str
    description: str
    arguments: JsonObject
    path_names: frozenset[str]
    query_names: frozenset[str]

    @property
    def reads(self) -> bool:
        return self.method == "GET" or self.name in _READING_POSTS


@cache
def list_offered_calls() -> dict[str, OfferedCall]:
    """Return the calls by the names of their tools."""
    document = api.get_openapi_schema()
    schemas = document["components"]["schemas"]
    return {name: _make_call(name, call, document["paths"], schemas) for name, call in OFFERED_CALLS.items()}


def _make_call(name: str, call: str, paths: JsonObject, schemas: JsonObject) -> OfferedCall:
    method, path = call.split()
    details = paths[path][method.lower()]
    names = {
        kind: [parameter for parameter in details["parameters"] if parameter["in"] == kind]
        for kind in ("path", "query")
    }
    properties: JsonObject = {}
    required: list[str] = []
    for parameter in [*names["path"], *names["query"]]:
        about = {"description": parameter["description"]} if parameter.get("description") else {}
        properties[parameter["name"]] = {**parameter["schema"], **about}
        required += [parameter["name"]] if parameter.get("required") else []
    for content in details.get("requestBody", {}).get("content", {}).values():
        schema = schemas[content["schema"]["$ref"].rpartition("/")[2]]
        properties |= schema.get("properties", {})
        required += schema.get("required", [])
    if method in ("PATCH", "DELETE"):
        properties[IF_MATCH] = {"type": "string", "description": "The etag of the issue as you read it."}
    arguments = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return OfferedCall(
        name=name,
        method=method,
        path=path,
        title=details["summary"],
        description=" ".join(details.get("description", details["summary"]).split()),
        arguments=arguments,
        path_names=frozenset(parameter["name"] for parameter in names["path"]),
        query_names=frozenset(parameter["name"] for parameter in names["query"]),
    )
