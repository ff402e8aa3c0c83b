"""Write docs/reference/api/ from the OpenAPI document and the recorded examples: python -m scripts.api_reference."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "docs/reference/api"
_INDEX = """# API: all calls

Made from the product by `python -m scripts.api_reference`; do not edit. [The API](../api.md) says what holds
for all of them: keys, limits, repeats, pages and errors. The examples were run in this order; a test runs them again.

| call | does | scope |
|---|---|---|
"""


def write_pages() -> dict[str, str]:
    """Return the text of each page by file name."""
    from newsletter.api.calls.openapi import list_operations, load_examples, scopes_of
    from newsletter.api.urls import api

    document = api.get_openapi_schema()
    operations, examples = list_operations(api), load_examples()
    pages: dict[str, list[str]] = {}
    index = [_INDEX]
    for path, methods in document["paths"].items():
        for method, details in methods.items():
            name, (tag,) = f"{method.upper()} {path}", details["tags"]
            scopes = " or ".join(f"`{scope}`" for scope in scopes_of(operations[details["operationId"]]))
            index.append(f"| [`{name}`]({tag}.md) | {details['summary']} | {scopes} |\n")
            part = "".join(
                _describe_call(name, details, scopes, examples.get(name, []), document["components"]["schemas"])
            )
            pages.setdefault(
                tag, [f"# API: {tag}\n\nMade by `python -m scripts.api_reference`; do not edit.\n"]
            ).append(part)
    errors = "".join(_describe_example(one) for one in examples["errors"])
    pages["errors"] = ["# API: errors\n\nMade by `python -m scripts.api_reference`; do not edit.\n", errors]
    return {"README.md": "".join(index), **{f"{tag}.md": "".join(parts) for tag, parts in pages.items()}}


def _describe_call(
    name: str, details: dict[str, Any], scopes: str, examples: list[dict[str, Any]], schemas: dict[str, Any]
) -> Iterator[str]:
    yield f"\n## {details['summary']}\n\n`{name}` · scope {scopes}\n\n"
    if details.get("description"):
        yield " ".join(details["description"].split()) + "\n"
    values = [one for one in details["parameters"] if one["in"] in ("path", "query")]
    rows = [(one["name"], one["in"], one.get("description") or "") for one in values]
    for content in details.get("requestBody", {}).get("content", {}).values():
        schema = schemas.get(content["schema"].get("$ref", "").rpartition("/")[2], {})
        needed = schema.get("required", [])
        rows += [
            (field, "required" if field in needed else "", about.get("description") or "")
            for field, about in schema.get("properties", {}).items()
        ]
    if rows:
        yield "\n| field | | |\n|---|---|---|\n" + "".join(
            f"| `{field}` | {kind} | {text} |\n" for field, kind, text in rows
        )
    for example in examples:
        yield _describe_example(example)


def _describe_example(example: dict[str, Any]) -> str:
    method, path = example["request"].split(" ", 1)
    way = "" if method == "GET" or (method == "POST" and example["sends"]) else f"-X {method} "
    key = "" if "Authorization" in example["headers"] else ' -H "Authorization: Bearer $KEY"'
    lines = [f'curl {way}"$SITE/api/v1/{path}"{key}']
    lines += [
        f'  -H "{name}: {value}"'.replace('""', '"')
        for name, value in example["headers"].items()
        if name != "Content-Type"
    ]
    if example["sends"]:
        kind = (
            "application/json" if "body" in example else example["headers"].get("Content-Type", "application/x-ndjson")
        )
        flag = "-d" if "body" in example else "--data-binary"
        lines.append(f"""  -H "Content-Type: {kind}" {flag} '{example["sends"]}'""")
    call = " \\\n".join(lines)
    return f"\n### {example['title']}\n\n```sh\n{call}\n```\n\nAnswer {example['status']}:\n{_show_answer(example['answer'])}"


def _show_answer(answer: object) -> str:
    """Return the block of an answer: a CSV file, a JSON document, or nothing."""
    if isinstance(answer, str):
        return f"\n```csv\n{answer}```\n"
    return f"\n```json\n{json.dumps(answer, ensure_ascii=False, indent=2)}\n```\n" if answer is not None else ""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()
    FOLDER.mkdir(exist_ok=True)
    for name, text in write_pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
