"""A large file of people is read in a process of its own, with the same rows, and leaves no process behind."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from datetime import date
from pathlib import Path

import pytest

from newsletter.bench.importing import BadCsvMaker
from newsletter.bench.serving.process_tree import list_processes
from newsletter.common.child_processes.start import start_child
from subscribers.importing.reading import reading_process
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.parsed_rows import ImportTerms, PersonRow, Row
from subscribers.importing.reading.people_file import inspect_file, open_csv
from subscribers.importing.reading.reading_process import ReadingStopped, open_rows
from subscribers.importing.reading.reading_request import ReadingRequest
from tests.support.provider_fixtures import corpus

KEY = b"a key of hashes"
TERMS = ImportTerms(list_slug="weekly", country="GB")
PEOPLE = 12_000
MANY = b"email,name\n" + b"".join(b"person%d@example.org,Person %d\n" % (n, n) for n in range(PEOPLE))


def make_bad_file(folder: Path) -> bytes:
    BadCsvMaker(rows=7_000).write(folder / "bad.csv")
    return (folder / "bad.csv").read_bytes()


def make_naughty_file(folder: Path) -> bytes:
    texts = json.loads(corpus("naughty-strings", "blns.json").read_text())
    out = io.StringIO(newline="")
    write = csv.writer(out).writerow
    write(["email", "name", "city", "region", "country", "topics", "attributes", "Shoe size", "postcode"])
    for number, text in enumerate(texts):
        write([f"p{number}@example.org", text, text, "", "", text, json.dumps({text: text}), text, text])
        write([text, *["Ann"] * 8])
    return out.getvalue().encode("utf-8", "replace")


def make_file_of_every_note(_: Path) -> bytes:
    lone = '{""\\ud800"":""1"",""a"":[1,2],""b"":{""c"":1}}'
    return (
        "email,name,language,giving,timezone,radius_km,mail_frequency,paused_until,asked_on,postcode,attributes,status\n"
        "ann@example.org,Ann,??,much,Mars/North,9999,hourly,soon,yesterday,LS1 4AP,no JSON,\n"
        f'ben@example.org,Ben,en,donor,Europe/London,20,events,2026-05-01,2026-01-02 03:04:05 +02:00,,"{lone}",\n'
        "cleo@example.org,Cleo,,,,,,,,,,unsubscribed\n"
        "dora@example.org,Dora,,,,,,,,,,strange\n"
        "eve@münchen.example,Eve,,,,,,,,,,\n"
        ",Nobody,,,,,,,,,,\n"
    ).encode()


FILES: dict[str, Callable[[Path], bytes]] = {
    "each kind of bad line": make_bad_file,
    "naughty texts": make_naughty_file,
    "each kind of note": make_file_of_every_note,
    "UTF-16": lambda _: "email;name\nada@example.org;Zoë\n\nbad;Šimi\n".encode("utf-16"),
    "Windows-1252": lambda _: "email,name\nada@example.org,Zoë\n".encode("cp1252"),
    "refused lines": lambda _: (
        b'Line in the file,Why it was refused,Refusal code,email,name\n3,Because,unreadable,ann@example.org,"\'""Ann"\n'
    ),
    "no line": lambda _: b"email\n",
    "a column that is no address": lambda _: b"mail,e\nann@example.org,1\n",
}


def make_request(path: Path, *, terms: ImportTerms = TERMS) -> ReadingRequest:
    with path.open("rb") as file:
        detected = inspect_file(file)
    return ReadingRequest(detected, detected.guess(), terms, KEY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is long enough for two messages and more than a pipe holds."""
    path = tmp_path / "people.csv"
    path.write_bytes(MANY)
    return path


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_process, "MIN_BYTES", 1)


def find_child(parent: int = 0) -> int:
    """Return the process that reads; pytest may have others."""
    return next(pid for pid in list_processes(parent or os.getpid())[1:] if b"reading_child" in read_command(pid))


def read_command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def wait_for_end(pid: int) -> None:
    """Wait until a process is gone, or is kept only because its parent has not asked for its status."""
    for _ in range(600):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")


def read_there(path: Path, request: ReadingRequest) -> list[Row]:
    with path.open("rb") as file, open_rows(file, request) as rows:
        return list(rows)


def read_here(path: Path, request: ReadingRequest) -> list[Row]:
    with path.open("rb") as file:
        return list(request.read(file))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("implied", [False, True])
def test_a_process_reads_the_same_rows_as_the_import_would(name: str, implied: bool, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(FILES[name](tmp_path))
    today = date(2026, 3, 5)
    terms = ImportTerms(list_slug="weekly", implied_from=today, all_implied=True) if implied else TERMS
    request = make_request(path, terms=terms)
    here, there = read_here(path, request), read_there(path, request)
    assert there == here
    assert [type(getattr(row, "reason", "")) for row in there] == [type(getattr(row, "reason", "")) for row in here]
    notes = [[type(note) for note in row.notes] for row in here if isinstance(row, PersonRow)]
    assert [[type(note) for note in row.notes] for row in there if isinstance(row, PersonRow)] == notes
    assert all(len(row.address_hash) == 32 for row in there if isinstance(row, PersonRow))


def test_a_process_reads_from_the_position_of_the_file(path: Path) -> None:
    request = make_request(path)
    path.write_bytes(b"something else\n" + MANY)
    with path.open("rb") as file:
        file.readline()
        with open_rows(file, request) as rows:
            assert len(list(rows)) == PEOPLE


def test_a_workbook_is_read_in_the_process_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    def start(module: str, *, descriptors: Collection[int]) -> "subprocess.Popen[bytes]":
        started.append(module)
        return start_child(module, descriptors=descriptors)

    monkeypatch.setattr(reading_process, "start_child", start)
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["email", "name"])
    book.active.append(["ann@example.org", "Ann"])
    book.save(tmp_path / "people.xlsx")
    with (tmp_path / "people.xlsx").open("rb") as workbook, open_csv(workbook) as file:
        detected = inspect_file(file)
        with open_rows(file, ReadingRequest(detected, detected.guess(), TERMS, KEY)) as rows:
            assert [row.email for row in rows if isinstance(row, PersonRow)] == ["ann@example.org"]
    assert started == ["subscribers.importing.reading.reading_child"]


def test_what_refuses_a_file_is_raised_here(path: Path) -> None:
    request = make_request(path)
    bad = ReadingRequest(request.detected, ["", "name"], TERMS, KEY)
    with pytest.raises(BadFile) as here:
        read_here(path, bad)
    with pytest.raises(BadFile) as there:
        read_there(path, bad)
    assert there.value.message == here.value.message


def test_a_small_file_and_one_in_memory_start_no_process(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_process, "start_child", None)
    request = make_request(path)
    with open_rows(io.BytesIO(MANY), request) as rows:
        assert len(list(rows)) == PEOPLE
    monkeypatch.setattr(reading_process, "MIN_BYTES", len(MANY) + 1)
    assert len(read_there(path, request)) == PEOPLE


def test_a_killed_process_is_an_error_that_says_what_to_do(path: Path) -> None:
    with path.open("rb") as file, open_rows(file, make_request(path)) as rows:
        next(rows)
        os.kill(find_child(), signal.SIGKILL)
        with pytest.raises(ReadingStopped, match=r"status -9.* Start it again: nobody is added twice"):
            list(rows)


def test_a_process_that_does_not_start_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(module: str, **options: object) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(["false"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(reading_process, "start_child", start)
    with pytest.raises(ReadingStopped, match="status 1"):
        read_there(path, make_request(path))


def test_the_process_ends_with_whoever_reads_its_rows(path: Path) -> None:
    with path.open("rb") as file:
        with open_rows(file, make_request(path)) as rows:
            next(rows)
            child = find_child()
        assert not Path(f"/proc/{child}").exists()
        file.seek(0)
        assert file.read() == MANY


PARENT = """
import sys
from subscribers.importing.reading import reading_process
from subscribers.importing.reading.parsed_rows import ImportTerms
from subscribers.importing.reading.people_file import inspect_file
from subscribers.importing.reading.reading_request import ReadingRequest
reading_process.MIN_BYTES = 1
with open(sys.argv[1], "rb") as file:
    detected = inspect_file(file)
    with reading_process.open_rows(file, ReadingRequest(detected, detected.guess(), ImportTerms(), b"key")) as rows:
        print(next(rows).email, flush=True)
        sys.stdin.read()
"""


def test_the_process_ends_when_its_parent_is_killed(path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"person0@example.org\n"
        child = find_child(parent.pid)
        parent.kill()
    wait_for_end(child)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_stop_is_left_to_the_import(sent: signal.Signals, path: Path) -> None:
    with path.open("rb") as file, open_rows(file, make_request(path)) as rows:
        first = next(rows)
        os.kill(find_child(), sent)
        assert len([first, *rows]) == PEOPLE


@pytest.fixture
def waiting_child(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setenv("NEWSLETTER_ADDRESS_KEY", "a key of hashes")
    with path.open("rb") as file, open_rows(file, make_request(path)) as rows:
        next(rows)
        yield find_child()


def test_the_key_is_in_no_argument_and_no_variable(waiting_child: int) -> None:
    folder = Path(f"/proc/{waiting_child}")
    assert KEY not in (folder / "cmdline").read_bytes()
    assert KEY not in (folder / "environ").read_bytes()
    assert b"NEWSLETTER" not in (folder / "environ").read_bytes()


def test_the_process_loads_no_framework_and_no_settings() -> None:
    code = (
        "import sys, subscribers.importing.reading.reading_child\n"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'django', 'wagtail', 'psycopg', 'newsletter'})\n"
        "print(*[name for name in sys.modules if name.startswith(('newsletter.project', 'newsletter.models'))])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "newsletter\n\n"
