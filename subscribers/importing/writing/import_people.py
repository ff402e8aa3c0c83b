"""Import a whole file in this process: for the command, the sample and tests. The desk uses `import_steps`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import BinaryIO

from django.db import Error
from django.utils.translation import gettext as _

from subscribers.identity import require_own_key
from subscribers.importing.reading.column_mapping import (
    check_mapping,
    header_key,
    hide_choice,
    mark_choice,
    normalise_column_name,
)
from subscribers.importing.reading.errors import BadFile, CannotImport
from subscribers.importing.reading.export_formats import refuse_export_without_opt_outs, refuse_non_subscribed_export
from subscribers.importing.reading.file_format import measure_file
from subscribers.importing.reading.people_file import inspect_file, open_csv
from subscribers.importing.writing.import_claim import ClaimedProgress, ClaimLost, claim, release
from subscribers.importing.writing.import_failures import describe_failure
from subscribers.importing.writing.import_run import ImportRun, fill_from_file
from subscribers.importing.writing.report import ImportReport, find_rows_to_skip
from subscribers.models import Basis, ImportBatch, ImportKind, ImportState, MailingList
from subscribers.places.regions import resolve_country

IMPORTABLE = (Basis.CONSENT, Basis.SOFT_OPT_IN, Basis.LEGITIMATE_INTEREST, Basis.CONTRACT, Basis.CASL_IMPLIED)


@dataclass(frozen=True, kw_only=True)
class PeopleFile:
    """A CSV file or workbook of people, in bytes. `columns` names the field of a column if the guess is wrong."""

    content: BinaryIO
    name: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ConsentTerms:
    """The kind of the people in a file, and the reason why they may be mailed.

    `kind` overrides the detected kind. `collected_on`, `expires_on` and `country` (a code or name) are the defaults for rows
    without one. With `confirm`, people are asked by mail first.
    """

    basis: Basis | str
    evidence: str
    kind: ImportKind | str = ""
    collected_on: date | None = None
    expires_on: date | None = None
    country: str = ""
    confirm: bool = False


def import_people(
    file: PeopleFile,
    *,
    mailing_list: MailingList,
    terms: ConsentTerms,
    by: str,
    by_key: int | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ImportReport:
    """Import a file of people into one list.

    `by` is who imports, `by_key` the id of an API key. `progress` gets the number of rows read. An interrupted import of the
    same file, list and terms is continued.

    Raises:
        CannotImport, BadFile, UnknownPlace, OtherAddressKey: before anything is written.
    """
    require_own_key()
    check_terms(basis=terms.basis, evidence=terms.evidence, by=by, kind=terms.kind or ImportKind.JOIN)
    check_list(mailing_list)
    batch = ImportBatch(
        mailing_list=mailing_list,
        state=ImportState.RUNNING,
        file_name=file.name[:200],
        basis=terms.basis,
        evidence=terms.evidence.strip(),
        collected_on=terms.collected_on,
        expires_on=terms.expires_on,
        country=resolve_country(terms.country) if terms.country.strip() else "",
        confirm=terms.confirm,
        by=by,
        by_key=by_key,
        started_at=clock(),
    )
    with open_csv(file.content) as source:
        detected = inspect_file(source)
        fill_from_file(batch, detected)
        batch.kind = ImportKind(terms.kind or detected.layout.kind)
        if batch.kind == ImportKind.JOIN:
            refuse_non_subscribed_export(detected.layout, file_name=file.name)
            refuse_export_without_opt_outs(detected.header)
        batch.header_key = header_key(detected.header)
        batch.mapping = make_mapping(detected.header, detected.guess(), file.columns)
        if dry_run:
            run = ImportRun(batch=batch, file=source, dry_run=True, progress=progress)
            run.go()
            return run.report
        return _run_import(batch, source, clock=clock, progress=progress)


def _run_import(
    batch: ImportBatch, source: BinaryIO, *, clock: Callable[[], datetime], progress: Callable[[int], None] | None
) -> ImportReport:
    batch.file_key, batch.file_bytes, batch.lines = measure_file(source)
    batch = _resume_or_save(batch)
    token = claim(batch, states=[ImportState.RUNNING], now=clock())
    if not token:
        raise CannotImport(
            _(
                "This file is already being imported, or a command that imported it was killed less than a minute "
                "ago. Wait a minute, then run the command again; it continues where it stopped."
            )
        )
    batch.refresh_from_db()
    stored = ClaimedProgress(batch, token=token, clock=clock)
    try:
        run = ImportRun(batch=batch, file=source, dry_run=False, stored=stored, progress=progress)
        run.go()
        stored.finish(run.report)
    except (ClaimLost, Error):
        raise
    except Exception as error:
        release(batch, token=token, state=ImportState.FAILED, problem=describe_failure(batch, error))
        raise
    return run.report


def check_list(mailing_list: MailingList) -> None:
    """Raise `CannotImport` if the list is archived."""
    if mailing_list.archived:
        raise CannotImport(
            _("The list “%(name)s” is archived, so nothing was imported. Bring it back under Subscribers, Lists.")
            % {"name": mailing_list.name}
        )


def check_terms(*, basis: Basis | str, evidence: str, by: str, kind: ImportKind | str) -> None:
    """Raise `CannotImport` if the law requires something that is missing."""
    if not by.strip():
        raise CannotImport(_("Enter the name of the person who imports. It is stored with the evidence of consent."))
    if kind != ImportKind.JOIN:
        return
    if basis not in IMPORTABLE:
        raise CannotImport(
            _("“%(basis)s” is not a legal basis for an import. Use one of: %(bases)s.")
            % {"basis": basis, "bases": ", ".join(IMPORTABLE)}
        )
    if not evidence.strip():
        raise CannotImport(
            _("Enter the evidence that these people may be emailed, such as “sign-up sheet, spring fair 2026”.")
        )


def _resume_or_save(batch: ImportBatch) -> ImportBatch:
    """Return the interrupted import of the same file on the same terms, or save and return this one."""
    terms = ("mailing_list", "kind", "basis", "evidence", "confirm", "collected_on", "expires_on", "country")
    same = (*terms, "file_key", "mapping", "encoding")
    terms_of_batch = {name: getattr(batch, name) for name in same}
    states = (ImportState.RUNNING, ImportState.FAILED)
    stopped = ImportBatch.objects.filter(state__in=states, stored=False, **terms_of_batch).exclude(
        counts__has_key="undone_by"
    )
    begun = stopped.order_by("-pk").first()
    if begun is None:
        batch.save()
        return batch
    ImportBatch.objects.filter(pk=begun.pk, state=ImportState.FAILED).update(
        state=ImportState.RUNNING, problem="", rows_done=find_rows_to_skip(begun.counts)
    )
    return begun


def make_mapping(header: Sequence[str], guessed: Sequence[str], columns: Mapping[str, str]) -> list[str]:
    """Return the field of each column: the named one, else the guessed one. Raises `BadFile` for an unknown name.

    A named attribute refuses no line, even if its column may say who unsubscribed.
    """
    targets = {normalise_column_name(name): mark_choice(target) for name, target in columns.items()}
    names = [normalise_column_name(name) for name in header]
    unknown = next((name for name in targets if name not in names), "")
    if unknown:
        raise BadFile(
            _("The file has no column “%(unknown)s”. Its columns are: %(columns)s.")
            % {"unknown": unknown, "columns": ", ".join(names)[:300]}
        )
    used = set(map(hide_choice, targets.values()))
    mapping = [targets.get(name, "" if target in used else target) for name, target in zip(names, guessed, strict=True)]
    check_mapping(mapping, header=header)
    return mapping
