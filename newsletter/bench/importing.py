"""Measure an import of a file with all kinds of bad rows and known results, then an export and the import's undoing."""

import random
import resource
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from subscribers.exporting.csv_export import export_people
from subscribers.identity import identify
from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.importing.writing.report import ImportReport
from subscribers.importing.writing.undo import undo_now
from subscribers.models import ImportBatch, MailingList, Reason, Scope, Subscriber, Subscription, Suppression

SUPPRESSED_EVERY = 100
HEADER = b"email,name,country,region,city,language,giving,source\n"
TOWNS = [
    b"GB,,Leeds", b"GB,,Bristol", b"US,TX,Houston", b"US,CA,San Diego", b"IN,,Pune", b"KE,,Nairobi", b"BR,,Recife",
    b"GB,,Glasgow", b"US,NY,Buffalo", b"DE,,Hamburg", b"ES,,Sevilla", b"FR,,Lyon", b"ZA,,Durban", b"PH,,Cebu City",
]  # fmt: skip
BAD_ROW_KINDS = (
    "bad_address", "nul", "unreadable", "too_many_values", "long_value", "windows", "repeated", "suppressed", "formula",
)  # fmt: skip
LONG = b"x" * 1_000_000
MAX_LONG_VALUES = 60


@dataclass(frozen=True)
class ImportFigures:
    """The speed of an import, of an export of its people, and of undoing it. Processor time is that of this process.

    The memory of a part is the most that the process has had until its end. So that of a later part is never smaller.
    `undo_longest_step_ms` is how long a step of the undoing let others wait to write, with its commit.
    `right` is True if every result was counted as expected, everybody was exported, and nobody was left after the undoing.
    """

    rows: int
    seconds: float
    rows_per_second: float
    processor_seconds: float
    peak_memory_mb: float
    export_seconds: float
    export_processor_seconds: float
    export_peak_memory_mb: float
    undo_seconds: float
    undo_processor_seconds: float
    undo_peak_memory_mb: float
    undo_longest_step_ms: float
    right: bool


@dataclass
class _Took:
    """The seconds of a block, by the clock and of processor time, and the most memory of the process until its end."""

    seconds: float = 0.0
    processor: float = 0.0
    peak_memory_mb: float = 0.0


class _StepClock:
    """The clock of an undoing, which reads it once in each step. `longest` is the most seconds between two readings."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._before: datetime | None = None

    def __call__(self) -> datetime:
        now = datetime.now(UTC)
        if self._before is not None:
            self.longest = max(self.longest, (now - self._before).total_seconds())
        self._before = now
        return now


class BadCsvMaker:
    """Writes a file of people with one row in a hundred of each bad kind, and counts the expected results."""

    def __init__(self, *, rows: int, seed: int = 1) -> None:
        self.rows = rows
        self.expected: Counter[str] = Counter()
        self._random = random.Random(seed)  # noqa: S311  no secret

    def write(self, path: Path) -> None:
        with path.open("wb", buffering=1 << 20) as file:
            file.write(HEADER)
            file.writelines(self._lines())

    def suppressed_address(self, number: int) -> str:
        return f"person{number}@suppressed.example.org"

    def _lines(self) -> Iterator[bytes]:
        for number in range(self.rows):
            kind = BAD_ROW_KINDS[number % 100] if number % 100 < len(BAD_ROW_KINDS) and number > 100 else ""
            if kind == "long_value" and self.expected["long_value"] >= MAX_LONG_VALUES:
                kind = ""
            yield self._line(number, kind)

    def _line(self, number: int, kind: str) -> bytes:
        town = self._random.choice(TOWNS)
        address = b"person%d@example%d.org" % (number, number % 97)
        name = b"Person %d" % number
        outcome = "new"
        match kind:
            case "bad_address":
                address, outcome = b"person%d at example.org" % number, "bad_address"
            case "nul":
                address, outcome = b"per\x00son%d@example.org" % number, "bad_address"
            case "unreadable":
                name, outcome = b'"' + name, "unreadable"
            case "too_many_values":
                town, outcome = town + b",a" * 20, "too_many_values"
            case "long_value":
                name, outcome = LONG, "long_value"
            case "windows":
                name = "Zoë Pérez".encode("utf-8" if number % 400 > 100 else "cp1252")
            case "repeated":
                address, outcome = b"PERSON%d@example%d.org" % (number - 50, (number - 50) % 97), "repeated"
            case "suppressed":
                address, outcome = self.suppressed_address(number).encode(), "suppressed"
            case "formula":
                name = b"=HYPERLINK(1)"
        self.expected[outcome] += 1
        return b",".join([address, name, town, b"en", b"donor" if number % 10 == 0 else b"", b"bench"]) + b"\n"


def measure_import(*, rows: int) -> ImportFigures:
    """Import a file into the connected database, which must be empty, export its people and undo the import."""
    now = datetime.now(UTC)
    mailing_list = MailingList.objects.create(slug="bench-import", name="Bench")
    maker = BadCsvMaker(rows=rows)
    create_suppressions(maker, now=now)
    with TemporaryDirectory(prefix="newsletter-bench-") as folder:
        path = Path(folder) / "people.csv"
        maker.write(path)
        with _measure() as imported, path.open("rb") as file:
            report = import_people(
                PeopleFile(content=file),
                mailing_list=mailing_list,
                terms=ConsentTerms(basis="consent", evidence="Bench"),
                by="bench",
            )
        on_list = Subscription.objects.filter(mailing_list=mailing_list).count()
        with _measure() as exported, (Path(folder) / "exported.csv").open("w", encoding="utf-8", newline="") as out:
            people = export_people(out=out, mailing_list=mailing_list)
    steps = _StepClock()
    with _measure() as undone:
        undo_now(ImportBatch.objects.get(), by="bench", clock=steps)
    found = count_outcomes(report)
    expected = {key: count for key, count in maker.expected.items() if count}
    return ImportFigures(
        rows=rows,
        seconds=round(imported.seconds, 1),
        rows_per_second=round(rows / imported.seconds),
        processor_seconds=round(imported.processor, 1),
        peak_memory_mb=imported.peak_memory_mb,
        export_seconds=round(exported.seconds, 1),
        export_processor_seconds=round(exported.processor, 1),
        export_peak_memory_mb=exported.peak_memory_mb,
        undo_seconds=round(undone.seconds, 1),
        undo_processor_seconds=round(undone.processor, 1),
        undo_peak_memory_mb=undone.peak_memory_mb,
        undo_longest_step_ms=round(steps.longest * 1000, 1),
        right=found == expected and on_list == people == report.new and not Subscriber.objects.exists(),
    )


@contextmanager
def _measure() -> Iterator[_Took]:
    took, started, processor = _Took(), time.perf_counter(), time.process_time()
    yield took
    took.seconds, took.processor = time.perf_counter() - started, time.process_time() - processor
    took.peak_memory_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)


def create_suppressions(maker: BadCsvMaker, *, now: datetime) -> None:
    """Create the suppressions that the expected results assume."""
    at = BAD_ROW_KINDS.index("suppressed")
    Suppression.objects.bulk_create(
        (
            Suppression(
                address_hash=identify(maker.suppressed_address(number)),
                scope=Scope.ALL,
                reason=Reason.UNSUBSCRIBE,
                at=now,
            )
            for number in range(at, maker.rows, SUPPRESSED_EVERY)
        ),
        batch_size=5_000,
    )


def count_outcomes(report: ImportReport) -> dict[str, int]:
    """Return the number of rows by result; refused rows by kind."""
    counts = report.counts()
    del counts["rows"], counts["refused"]
    return {key: count for key, count in {**counts, **report.reasons}.items() if count}
