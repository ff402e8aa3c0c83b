"""A process is ready if the database is there, with its tables, and is its own."""

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from newsletter.models import Installation
from newsletter.monitoring import readiness
from newsletter.monitoring.readiness import check_readiness

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def test_an_installation_that_works_is_ready() -> None:
    assert check_readiness() is readiness.READY
    assert readiness.READY.ready


def test_a_migration_that_was_not_applied_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'newsletter' AND name LIKE '0002%'")
    assert check_readiness() is readiness.NOT_MIGRATED


def test_a_database_of_another_key_is_not_ready() -> None:
    Installation.objects.update_or_create(pk=1, defaults={"address_key_hash": "a" * 64, "changed_at": timezone.now()})
    assert check_readiness() is readiness.OTHER_KEY


def test_an_installation_without_a_row_is_ready() -> None:
    Installation.objects.all().delete()
    assert check_readiness() is readiness.READY


def test_an_error_of_the_database_means_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(readiness, "list_missing_migrations", fail)
    assert check_readiness() is readiness.UNREACHABLE
