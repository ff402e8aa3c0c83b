from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.test import TransactionTestCase, override_settings

from tests.support.emptying import empty_tables

pytest_plugins = ["tests.support.provider_fixtures", "tests.support.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def quick_to_begin() -> Iterator[None]:
    """Costs the product wants and thousands of tests do not: slow hashes of passwords, and a list of all static
    files made for each client. A test in tests/web/test_second_factor.py holds the product to the slow hash."""
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"], WHITENOISE_AUTOREFRESH=True
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_to_end() -> Iterator[None]:
    with patch.object(TransactionTestCase, "_fixture_teardown", empty_tables):
        yield
