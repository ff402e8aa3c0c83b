"""No command imports at its start a large module that only some of its work needs."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

_END = "the end of a program"
_FORKS = f"""
import json, os, sys
import django
django.setup()
for program in sys.stdin:
    if not os.fork():
        exec(json.loads(program))
        sys.stdout.flush()
        os._exit(0)
    os.wait()
    print({_END!r}, flush=True)
"""
"""A process that has set up Django, as every command does, and runs each line of its input in a fork."""
NOT_AT_THE_START = (
    "cryptography.x509",
    "dns",
    "icalendar",
    "newsletter.desk",
    "newsletter.issues.snapshot",
    "newsletter.web",
    "ninja",
    "requests",
    "trafilatura",
    "wagtail.api.v3",
)


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[[str], str]]:
    """Return a function that runs a program in a new process after Django's set-up and returns what it prints."""
    command = [sys.executable, "-c", _FORKS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        given, printed = process.stdin, process.stdout

        def run_in_a_fork(program: str) -> str:
            given.write(json.dumps(program) + "\n")
            given.flush()
            lines = []
            while (line := printed.readline().strip()) != _END:
                assert line or process.poll() is None, "the process ended"
                lines.append(line)
            return "\n".join(lines)

        yield run_in_a_fork


def test_a_command_starts_without_the_desk_and_its_libraries(run: Callable[[str], str]) -> None:
    found = run(f"print([name for name in {NOT_AT_THE_START} if name in sys.modules])")
    assert found == "[]"


def test_the_status_is_shown_without_providers_and_content(run: Callable[[str], str]) -> None:
    found = run(
        "import newsletter.management.commands.status; "
        "print([name for name in ('newsletter.issues.snapshot', 'requests') if name in sys.modules])"
    )
    assert found == "[]"


def test_rows_that_use_pictures_are_tracked_without_the_desk(run: Callable[[str], str]) -> None:
    tracked = "{model._meta.label for model in ReferenceIndex.tracked_models}"
    found = run(
        f"from wagtail.models.reference_index import ReferenceIndex; from wagtail.hooks import search_for_hooks; "
        f"before = {tracked}; search_for_hooks(); print(sorted({tracked} - before))"
    )
    assert found == "[]"


def test_a_block_finds_its_chooser_without_the_desk(run: Callable[[str], str]) -> None:
    found = run(
        "from newsletter.models.body_fields import RowChooserBlock; "
        "print(type(RowChooserBlock('newsletter.Story').widget).__name__)"
    )
    assert found == "StoryChooserWidget"


def test_a_send_checks_its_blocks_without_the_desk_and_parsers(run: Callable[[str], str]) -> None:
    """Wagtail builds the form of a block if it is asked whether the block is required."""
    found = run(
        "import newsletter.management.commands.send; from newsletter.models import Issue; "
        "from newsletter.issues.snapshot.incomplete_parts import find_value_problems; "
        "blocks = Issue._meta.get_field('body').stream_block.child_blocks; "
        "new = [(blocks[name], blocks[name].get_default()) for name in ('note', 'lead_story', 'events', 'picture', 'related')]; "
        "checked = [list(find_value_problems(block, value, block.get_prep_value(value))) for block, value in new]; "
        "print(all(checked), [name for name in "
        "('newsletter.desk', 'icalendar', 'trafilatura', 'dns', 'dkim') if name in sys.modules])"
    )
    assert found == "True []"


def test_a_server_starts_without_what_only_an_import_or_a_sign_up_needs(run: Callable[[str], str]) -> None:
    found = run(
        "import newsletter.jobs.engine; from newsletter.management.wsgi_pages import load_pages; "
        "load_pages(); print([name for name in ('openpyxl', 'disposable_email_domains', 'pyvips') if name in sys.modules])"
    )
    assert found == "[]"
