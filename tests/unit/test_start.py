"""What every command and the server import at their start: nothing large that only some of their work needs."""

import subprocess
import sys

START = "import django; django.setup(); import sys"
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


def test_a_command_starts_without_the_desk_and_its_libraries() -> None:
    found = _run(f"{START}; print([name for name in {NOT_AT_THE_START} if name in sys.modules])")
    assert found == "[]"


def test_the_status_is_shown_without_providers_and_content() -> None:
    found = _run(
        f"{START}; import newsletter.management.commands.status; "
        "print([name for name in ('newsletter.issues.snapshot', 'requests') if name in sys.modules])"
    )
    assert found == "[]"


def test_rows_that_use_pictures_are_tracked_without_the_desk() -> None:
    tracked = "{model._meta.label for model in ReferenceIndex.tracked_models}"
    found = _run(
        f"{START}; from wagtail.models.reference_index import ReferenceIndex; from wagtail.hooks import search_for_hooks; "
        f"before = {tracked}; search_for_hooks(); print(sorted({tracked} - before))"
    )
    assert found == "[]"


def test_a_block_finds_its_chooser_without_the_desk() -> None:
    found = _run(
        f"{START}; from newsletter.models.body_fields import RowChooserBlock; "
        "print(type(RowChooserBlock('newsletter.Story').widget).__name__)"
    )
    assert found == "AdminSnippetChooser"


def test_a_send_checks_its_blocks_without_the_desk_and_parsers() -> None:
    """Wagtail builds the form of a block if it is asked whether the block is required."""
    found = _run(
        f"{START}; import newsletter.management.commands.send; from newsletter.models import Issue; "
        "from newsletter.issues.snapshot.incomplete_parts import find_value_problems; "
        "blocks = Issue._meta.get_field('body').stream_block.child_blocks; "
        "new = [(blocks[name], blocks[name].get_default()) for name in ('note', 'lead_story', 'events', 'picture', 'related')]; "
        "checked = [list(find_value_problems(block, value, block.get_prep_value(value))) for block, value in new]; "
        "print(all(checked), [name for name in "
        "('newsletter.desk', 'icalendar', 'trafilatura', 'dns', 'dkim') if name in sys.modules])"
    )
    assert found == "True []"


def test_a_server_starts_without_what_only_an_import_or_a_sign_up_needs() -> None:
    found = _run(
        f"{START}; import newsletter.jobs.embedded_engine; from newsletter.management.wsgi_pages import load_pages; "
        "load_pages(); print([name for name in ('openpyxl', 'disposable_email_domains', 'pyvips') if name in sys.modules])"
    )
    assert found == "[]"


def _run(program: str) -> str:
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    return run.stdout.strip()
