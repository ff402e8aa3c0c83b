"""API calls that add people whose consent the organisation has already. They are imports, so staff can undo them."""

import csv
import io
from collections.abc import Iterable
from typing import Annotated

import orjson
from django.http import HttpRequest
from ninja import Query, Status
from pydantic import ValidationError
from wagtail.log_actions import log

from newsletter.api.calls.access import get_key, label_caller
from newsletter.api.calls.handle_call import repeats
from newsletter.api.calls.problems import Problem
from newsletter.api.people.key_scope import find_list, log_data
from newsletter.api.people.people_schemas import AddedPeople, AddedPerson, NewPerson, PersonToAdd, RefusedLine, Terms
from newsletter.api.people.router import WRITING, router
from newsletter.models import ApiKey
from subscribers.addresses.normalise import normalise
from subscribers.identity import identify
from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.importing.writing.report import ImportReport
from subscribers.models import ImportKind, Subscriber

MAX_LINES, LINES_NAMED = 10_000, 100
_COLUMNS = (
    *("email", "name", "country", "region", "city", "postcode", "language", "topics", "giving", "timezone"),
    *("source", "asked_on", "attributes"),
)
_OUTCOMES = ("new", "updated", "unchanged", "waiting", "suppressed")
_NDJSON = {
    "required": True,
    "content": {
        "application/x-ndjson": {
            "schema": {"type": "string", "description": "One JSON object a line, as in `POST people`."}
        }
    },
}


@router.post("people", auth=WRITING, response={201: AddedPerson, 200: AddedPerson}, summary="Add a person")
@repeats(in_steps=True)
def add_person(request: HttpRequest, data: PersonToAdd) -> Status[AddedPerson]:
    """Add a person who has agreed already, or add a known one to the list. 201 if they are new on the list.

    Nobody who unsubscribed, complained or was erased is added. If they have not agreed yet, use `sign-ups`.
    """
    key = get_key(request)
    normalise(data.email)  # raises BadAddress
    report = _import(key, data, [data])
    outcome = next((name for name in _OUTCOMES if getattr(report, name)), "refused")
    if outcome == "refused":
        why = "; ".join(str(row.reason) for row in report.refusals)
        raise Problem(422, "A field is invalid", why or "The row was refused.", code="invalid_field")
    existing = Subscriber.objects.filter(address_hash=identify(normalise(data.email))).values_list("pk", flat=True)
    answer = AddedPerson(
        outcome=outcome,  # type: ignore[arg-type]
        notes=[note.text for note in report.notes],
        id=None if outcome == "suppressed" else existing.first(),
        import_id=report.batch_id,
    )
    return Status(201 if outcome in ("new", "waiting") else 200, answer)


@router.post(
    "people/bulk", auth=WRITING, response=AddedPeople, summary="Add many people", openapi_extra={"requestBody": _NDJSON}
)
@repeats(in_steps=True)
def add_people(request: HttpRequest, terms: Annotated[Terms, Query()]) -> AddedPeople:
    """Add up to 10,000 people, one JSON object a line (NDJSON). A line is added or refused; the others are not affected."""
    key = get_key(request)
    people, refused = _read_lines(request.body)
    report = _import(key, terms, [person for _, person in people]) if people else ImportReport()
    numbers = [number for number, _ in people]
    lines = [RefusedLine(line=numbers[row.line - 2], why=str(row.reason)) for row in report.refusals]
    return AddedPeople(
        rows=report.rows + len(refused),
        **{name: getattr(report, name) for name in (*_OUTCOMES, "repeated")},
        refused=report.refused + len(refused),
        lines=sorted([*refused, *lines], key=lambda added_line: added_line.line)[:LINES_NAMED],
        import_id=report.batch_id,
    )


def _read_lines(body: bytes) -> tuple[list[tuple[int, NewPerson]], list[RefusedLine]]:
    """Return the people by line number, and the lines that are no person."""
    lines = [(number, line) for number, line in enumerate(body.splitlines(), start=1) if line.strip()]
    if not 1 <= len(lines) <= MAX_LINES:
        raise Problem(
            422,
            "The number of lines is wrong",
            f"Send 1 to {MAX_LINES:,} lines, one JSON object each. Nothing was added.",
            code="invalid_field",
        )
    people: list[tuple[int, NewPerson]] = []
    refused: list[RefusedLine] = []
    for number, line in lines:
        try:
            people.append((number, NewPerson.model_validate(orjson.loads(line))))
        except orjson.JSONDecodeError:
            refused.append(RefusedLine(line=number, why="This line is not valid JSON."))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            refused.append(RefusedLine(line=number, why=f"{where}: {first['msg']}".lstrip(": ")))
    return people, refused


def _import(key: ApiKey, terms: Terms, people: Iterable[NewPerson]) -> ImportReport:
    mailing_list = find_list(key, terms.list)
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_COLUMNS, *(_write_cells(person) for person in people)])
    report = import_people(
        PeopleFile(
            content=io.BytesIO(text.getvalue().encode()),
            name=label_caller(key),
            columns={name: name for name in _COLUMNS},
        ),
        mailing_list=mailing_list,
        terms=ConsentTerms(basis=terms.basis, evidence=terms.evidence, kind=ImportKind.JOIN, confirm=terms.confirm),
        by=label_caller(key),
        by_key=key.pk,
    )
    log(instance=key, action="newsletter.api_added", data={**log_data(key, mailing_list), **report.counts()})
    return report


def _write_cells(person: NewPerson) -> list[str]:
    cells = {
        **person.model_dump(include=set(_COLUMNS)),
        "topics": "; ".join(person.topics),
        "asked_on": person.asked_on.isoformat() if person.asked_on else "",
        "attributes": orjson.dumps(person.attributes).decode() if person.attributes else "",
    }
    return [" ".join(str(cells[name]).split()) if name != "attributes" else str(cells[name]) for name in _COLUMNS]
