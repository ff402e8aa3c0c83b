"""Read the organisation file into checked data. The first error names its table and key."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from newsletter.common.errors import BadFile, BadRule
from newsletter.common.known_names import nearest
from newsletter.organisation.schema import ENTRIES, Entry, ListEntry, OrganisationFile, SegmentEntry, is_single
from subscribers.segments.registry import read_rule
from subscribers.segments.rules import Condition, list_conditions

MAX_ORGANISATION_FILE_BYTES = 2_000_000
_ALSO = {
    "topic": " or a publication of the list has interests",
    "language": " or a publication of the list has further languages",
}


def read_organisation(path: Path) -> OrganisationFile:
    """Return the file's data. Raises BadFile."""
    return check_organisation(_parse(path))


def check_organisation(document: Mapping[str, Any]) -> OrganisationFile:
    """Return the data of a parsed file. Raises BadFile with the wrong table and key."""
    try:
        organisation = OrganisationFile.model_validate(document)
    except ValidationError as error:
        problems = [_describe_error(problem, document) for problem in error.errors(include_url=False)]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise BadFile(problems[0] + more) from error
    for kind, entry_type in ENTRIES.items():
        if not is_single(kind):
            _refuse_duplicates(kind, entry_type, document.get(kind, []))
    return organisation


def entry_label(kind: str, name: str) -> str:
    """Return how messages name a table of the file: ``[[list]] weekly``."""
    return f"[{kind}]" if is_single(kind) else f"[[{kind}]] {name}"


def _parse(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > MAX_ORGANISATION_FILE_BYTES:
            raise BadFile(
                f"{path} is larger than {MAX_ORGANISATION_FILE_BYTES // 1_000_000} MB, too large for an organisation's file."
            )
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise BadFile(f"There is no file {path}. Make a sample with: newsletter init") from error
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise BadFile(f"{path} is not valid TOML: {error}.") from error


def _refuse_duplicates(kind: str, entry_type: type[Entry], tables: Sequence[Mapping[str, Any]]) -> None:
    counted = Counter(str(table[entry_type.identity]) for table in tables)
    for name, times in counted.items():
        if times > 1:
            raise BadFile(f"{entry_label(kind, name)} is in the file {times} times. Keep one of them.")


def _describe_error(problem: ErrorDetails, document: Mapping[str, Any]) -> str:
    kind, rest = str(problem["loc"][0]), list(problem["loc"][1:])
    if kind not in ENTRIES:
        return _unknown("The file", f"table [{kind}]", kind, ENTRIES)
    entry_type = ENTRIES[kind]
    where, keys = _locate(kind, entry_type, rest, document)
    if not keys:
        expected = f"[{kind}]" if is_single(kind) else f"[[{kind}]]"
        return f"{where}: this must be a table, written as {expected} on a line of its own."
    key = keys[0]
    if problem["type"] == "extra_forbidden":
        return _unknown(where, f"key “{key}”", key, _keys_of(entry_type))
    if problem["type"] == "missing":
        return f"{where}: “{key}” is missing."
    location = ".".join(str(part) for part in keys)
    return f"{where}: {location}: {_reason(problem)}"


def _locate(kind: str, entry_type: type[Entry], rest: list[Any], document: Mapping[str, Any]) -> tuple[str, list[Any]]:
    if is_single(kind) or not rest or not isinstance(rest[0], int):
        return entry_label(kind, "").strip(), rest
    table = document[kind][rest[0]]
    name = table.get(entry_type.identity) if isinstance(table, Mapping) else None
    place = name if isinstance(name, str) and name.strip() else f"number {rest[0] + 1}"
    return entry_label(kind, place[:80]), rest[1:]


def _keys_of(entry_type: type[Entry]) -> list[str]:
    return [field.alias or name for name, field in entry_type.model_fields.items()]


def _unknown(where: str, what: str, word: str, choices: Sequence[str] | Mapping[str, Any]) -> str:
    hint = nearest(word, choices) or f"known are {', '.join(choices)}."
    return f"{where}: unknown {what}; {hint}"


def _reason(problem: ErrorDetails) -> str:
    context, given = problem.get("ctx", {}), problem["input"]
    match problem["type"]:
        case "value_error":
            return f"{context['error']}".rstrip(".") + "."
        case "literal_error":
            expected = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
            hint = nearest(str(given), expected) if isinstance(given, str) else ""
            choices = ", ".join(f"“{word}”" for word in expected)
            return f"“{given}” is not one of {choices}{'; ' + hint if hint else '.'}"
        case "greater_than_equal":
            return f"{given} is too small; write {context['ge']} or more."
        case "less_than_equal":
            return f"{given} is too large; write {context['le']} or less."
        case "int_type":
            return "write a whole number, without quotes."
        case "bool_type":
            return "write true or false, without quotes."
        case "string_type":
            return "write a text, in quotes."
        case "list_type":
            return 'write a list, such as ["one", "two"].'
        case "dict_type" | "model_type" | "model_attributes_type":
            return 'write a table, such as { name = "value" }.'
    return f"{problem['msg']}."


def list_keys_without_effect(organisation: OrganisationFile) -> list[str]:
    """Return one line for each key of the file that is valid and has no effect yet, with the reason."""
    return [note for mailing_list in organisation.lists for note in _check_list(mailing_list, organisation)]


def _check_list(entry: ListEntry, organisation: OrganisationFile) -> Iterator[str]:
    used = {condition.key for segment in organisation.segments for condition in _conditions(segment)}
    if any(one.mailing_list == entry.slug and one.interests != "off" for one in organisation.publications):
        used.add("topic")
    if any(one.mailing_list == entry.slug and one.languages for one in organisation.publications):
        used.add("language")
    for question, key in (("topics", "topic"), ("language", "language")):
        if question in entry.ask and key not in used:
            yield (
                f'{entry_label("list", entry.slug)}: ask = ["{question}"] has no effect until a segment selects by {key}'
                f"{_ALSO.get(key, '')}, so people are not asked."
            )


def _conditions(entry: SegmentEntry) -> list[Condition]:
    try:
        return list_conditions(read_rule(entry.rule))
    except BadRule:
        return []
