"""The PostgreSQL database that test processes copy has the permissions of today's code, not those of the recorded run."""

import json

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from tests.support.migrated_database import find_statements_file

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no recorded statements")
def test_permissions_of_the_code_are_written_after_repeated_statements() -> None:
    """No migration makes this one: Django adds it at the end of each migration, from the models that the code has."""
    connection.ensure_connection()
    statements = json.loads(find_statements_file(connection.connection.info.server_version).read_text(encoding="utf-8"))
    assert any("CREATE TABLE" in each for each in statements)
    assert not [each for each in statements if "add_userprofile" in each]
    assert Permission.objects.filter(codename="add_userprofile").count() == 1
