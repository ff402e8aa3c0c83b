"""The program's settings for each PostgreSQL connection."""

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction

from newsletter.common.commands.base import explain_database_error
from newsletter.common.database.deadlines import is_database_unavailable
from newsletter.management.commands.status import Command as StatusCommand
from newsletter.organisation.health import machine
from subscribers.models import MailingList

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL has these settings"),
]


def test_postgres_compiles_no_statement_of_ours():
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


def test_postgres_reads_for_a_page_in_one_process():
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_parallel_workers_per_gather")
        assert cursor.fetchone() == ("0",)


def make_read_only() -> None:
    """Make this transaction one of a server that takes no changes, such as a standby or one whose disk is full."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")


@transaction.atomic
def store_in_read_only() -> None:
    make_read_only()
    MailingList.objects.create(slug="weekly", name="Weekly")


def test_a_postgres_that_takes_no_changes_is_unavailable():
    with pytest.raises(OperationalError) as refused:
        store_in_read_only()
    assert is_database_unavailable(refused.value)
    line = explain_database_error(refused.value)
    assert line.startswith("PostgreSQL takes no changes: ")
    assert "standby" in line


def test_doctor_names_a_postgres_that_takes_no_changes():
    make_read_only()
    finding = machine.check_database()
    assert finding.level == "error"
    assert finding.text.startswith("PostgreSQL takes no changes, so nothing can be stored or sent.")


def test_a_postgres_that_is_too_old_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection.features, "minimum_database_version", (99,))
    monkeypatch.setattr(StatusCommand, "run", lambda self, **options: connection.check_database_version_supported())
    with pytest.raises(CommandError, match=r"PostgreSQL 99 or later is required \(found [\d.]+\)\. Nothing was done\."):
        call_command("status")


def test_doctor_names_a_postgres_that_is_too_old(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection.features, "minimum_database_version", (99,))
    monkeypatch.setattr(machine, "list_missing_migrations", connection.check_database_version_supported)
    finding = machine.check_database()
    assert finding.text.startswith("PostgreSQL 99 or later is required")
