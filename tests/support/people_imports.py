"""Imports of people by a service call or as the desk keeps them, and how one is killed."""

import io
from collections.abc import Callable, Mapping
from datetime import datetime
from types import ModuleType

import pytest

from subscribers.importing.writing import import_claim
from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.importing.writing.import_steps import (
    ImportOptions,
    create_draft_import,
    process_pending_imports,
)
from subscribers.importing.writing.report import ImportReport
from subscribers.models import (
    Basis,
    ImportBatch,
    ImportKind,
    MailingList,
)
from tests.support.people import NOW


def import_text(
    mailing_list: MailingList,
    text: str | bytes,
    *,
    columns: Mapping[str, str] | None = None,
    by: str = "kim",
    clock: Callable[[], datetime] = lambda: NOW,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
    **terms: object,
) -> ImportReport:
    body = text if isinstance(text, bytes) else text.encode()
    given = {"basis": "consent", "evidence": "Sheet of the spring fair", **terms}
    return import_people(
        PeopleFile(content=io.BytesIO(body), columns=columns or {}),
        mailing_list=mailing_list,
        terms=ConsentTerms(**given),  # type: ignore[arg-type]
        by=by,
        clock=clock,
        dry_run=dry_run,
        progress=progress,
    )


def keep_draft(mailing_list: MailingList, text: str) -> ImportBatch:
    return create_draft_import(
        file=io.BytesIO(text.encode()), name="people.csv", mailing_list=mailing_list, by="kim", now=NOW
    )


def make_terms(batch: ImportBatch, **fields: object) -> ImportOptions:
    given = {"mapping": batch.mapping, "kind": ImportKind.JOIN, "basis": Basis.CONSENT, "evidence": "Sheet", **fields}
    return ImportOptions(**given)  # type: ignore[arg-type]


def run_pending(now: datetime = NOW) -> None:
    process_pending_imports(clock=lambda: now)


class Killed(BaseException):
    """The process is gone."""


def kill_after(chunks: int, monkeypatch: pytest.MonkeyPatch, *, module: ModuleType = import_claim) -> None:
    """Kill the next import, or what else of `module` renews its claim, when it begins to commit one chunk more."""
    kept = import_claim.renew_claim
    calls = iter(range(chunks))

    def hold_or_die(*args: object, **kwargs: object) -> None:
        if next(calls, None) is None:
            raise Killed
        kept(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "renew_claim", hold_or_die)
