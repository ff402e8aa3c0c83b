from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.test import TransactionTestCase, override_settings
from pytest_django.plugin import DjangoDbBlocker

from tests.support.database_reset import empty_tables, keep_migrated_rows

pytest_plugins = ["tests.support.provider_fixtures", "tests.support.fixtures"]

_LONG = ("browser", "crash")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a minute begin first, so that none is left to one process while the others have nothing to do."""
    items.sort(key=lambda item: item.path.parent.name not in _LONG)


@pytest.fixture(scope="session", autouse=True)
def quick_to_begin() -> Iterator[None]:
    """Costs the product wants and thousands of tests do not: slow hashes of passwords, and a list of all static
    files made for each client. A test in tests/web/test_second_factor.py holds the product to the slow hash."""
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"], WHITENOISE_AUTOREFRESH=True
    ):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        keep_migrated_rows()


@pytest.fixture(scope="session", autouse=True)
def quick_to_end() -> Iterator[None]:
    with patch.object(TransactionTestCase, "_fixture_teardown", empty_tables):
        yield
