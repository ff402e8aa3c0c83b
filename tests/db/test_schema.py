"""The schema on record in `tests/data/schema`: a change of columns, constraints, triggers or roles shows in a review."""

import os
from pathlib import Path

import orjson
import pytest
from django.core.management import call_command
from django.db import connection

from tests.support.schema import describe_schema

pytestmark = pytest.mark.postgres

RECORDS = Path(__file__).parents[1] / "data/schema"
UPDATE = os.environ.get("NEWSLETTER_UPDATE_GOLDENS") == "1"


@pytest.mark.django_db
def test_the_migrations_make_the_schema_on_record() -> None:
    record = RECORDS / f"{connection.vendor}.json"
    if UPDATE:
        record.parent.mkdir(exist_ok=True)
        record.write_bytes(orjson.dumps(describe_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
    assert describe_schema() == orjson.loads(record.read_bytes()), (
        "If that is wanted: NEWSLETTER_UPDATE_GOLDENS=1 pytest tests/db/test_schema.py, on both databases"
    )


@pytest.mark.django_db
def test_every_change_of_a_model_is_in_a_migration() -> None:
    try:
        call_command("makemigrations", "--check", "--dry-run")
    except SystemExit:
        pytest.fail("A model has what no migration has. See “A column” in CONTRIBUTING.md.")
