"""The staff log is only added to: by the desk, by commands, under a chain of hashes that shows what was changed from outside."""

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from wagtail.log_actions import log
from wagtail.models import ModelLogEntry

from newsletter.common.errors import InvariantViolated
from newsletter.models import AuditEntry
from newsletter.organisation.accounts.staff import add_staff

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
PASSWORD = "a-calm-harbour-morning"


@pytest.fixture
def entries() -> list[AuditEntry]:
    for name in ("ann", "bob", "carol", "dan"):
        add_staff(email=f"{name}@example.org", role="writer", password=PASSWORD)
    return list(AuditEntry.objects.order_by("pk"))


@pytest.mark.requirement("G10")
def test_each_entry_names_the_one_before(entries: list[AuditEntry]) -> None:
    assert [entry.previous for entry in entries] == ["0" * 64, *(entry.sha256 for entry in entries[:-1])]
    assert AuditEntry.objects.find_break(limit=100) is None
    assert AuditEntry.objects.find_break(limit=2) is None


@pytest.mark.requirement("G10")
def test_neither_the_code_nor_the_database_lets_an_entry_be_changed(entries: list[AuditEntry]) -> None:
    with pytest.raises(InvariantViolated, match="only added to"):
        entries[0].save()
    with pytest.raises(InvariantViolated, match="only added to"):
        entries[0].delete()
    with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
        AuditEntry.objects.filter(pk=entries[0].pk).update(sha256="0" * 64)
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
            AuditEntry.objects.filter(pk=entries[0].pk).delete()


def test_words_that_were_changed_from_outside_are_found(entries: list[AuditEntry]) -> None:
    ModelLogEntry.objects.filter(pk=entries[1].pk).update(label="mallory@example.org")
    assert AuditEntry.objects.find_break(limit=100) == entries[1]


@pytest.mark.skipif("connection.vendor == 'postgresql'", reason="PostgreSQL's trigger refuses the deletion itself")
def test_an_entry_that_is_gone_is_found_by_the_next(entries: list[AuditEntry]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM newsletter_auditentry WHERE modellogentry_ptr_id = %s", [entries[1].pk])
    assert AuditEntry.objects.find_break(limit=100) == entries[2]


def test_two_entries_of_one_moment_are_listed_one_after_the_other(entries: list[AuditEntry]) -> None:
    """The place in the chain is unique: the second tries again behind the first."""
    person = User.objects.get(username="ann@example.org")
    manager = AuditEntry.objects
    stale = [entries[-2].sha256]
    real = manager.order_by

    def once_stale(*fields: str) -> object:
        queryset = real(*fields)
        return queryset.filter(sha256=stale.pop()) if stale else queryset

    manager.order_by = once_stale  # type: ignore[method-assign]
    try:
        log(instance=person, action="newsletter.password_set")
    finally:
        del manager.order_by
    assert AuditEntry.objects.order_by("-pk")[0].previous == entries[-1].sha256
