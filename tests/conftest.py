import gc
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils import timezone
from hypothesis import HealthCheck, settings
from pytest_django.plugin import DjangoDbBlocker

from tests.support.own_database import copy_migrated, empty_tables, keep_migrated_rows, roll_back

pytest_plugins = [
    "tests.support.replacements",
    "tests.support.provider_fixtures",
    "tests.support.fixtures",
    "tests.support.own_folder",
    "tests.support.accounts",
    "tests.support.file_times",
    "tests.support.staff_log",
]

_LONG = ["browser", "crash"]
_UNUSED_FIXTURES = {
    "_django_clear_site_cache": "",
    "_django_db_marker": "django_db",
    "_django_isolate_apps": "django_isolate_apps",
    "_django_set_urlconf": "urls",
    "_django_setup_unittest": "",
    "_template_string_if_invalid_marker": "ignore_template_errors",
}
"""Fixtures that pytest-django gives each test, with the marker that makes one do something."""
# No test of this project fails because the machine is busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the tests that take a minute first, so that no process works alone at the end.

    The browser tests stay together: they share a running demo, which ends with the last of them.
    """
    items.sort(key=lambda item: _LONG.index(item.path.parent.name) if item.path.parent.name in _LONG else len(_LONG))
    for item in items:
        _leave_out_unused_fixtures(item)


def _leave_out_unused_fixtures(item: pytest.Item) -> None:
    """Leave out fixtures that do nothing for this test: calling them takes longer than many tests."""
    names: list[str] = getattr(item, "fixturenames", [])
    for name, marker in _UNUSED_FIXTURES.items():
        if name in names and not item.get_closest_marker(marker):
            names.remove(name)


def pytest_collection_finish() -> None:
    """Let later collections of garbage leave out the program and the tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def quick_to_begin() -> Iterator[None]:
    """Costs the product wants and thousands of tests do not: slow hashes of passwords, and a list of all static
    files made for each client. A test in tests/web/test_second_factor.py holds the product to the slow hash."""
    with override_settings(PASSWORD_HASHERS=[f"{__name__}.{QuickHasher.__name__}"], WHITENOISE_AUTOREFRESH=True):
        yield


class QuickHasher(MD5PasswordHasher):
    """A quick hash that is the same for the same password, so that `repeat_rows` finds the same rows after a sign-in."""

    def salt(self) -> str:
        return "salt"


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
    shared_folder: Path,
) -> Iterator[None]:
    """Copy one migrated database, where pytest-django would run every migration in each process."""
    with django_db_blocker.unblock():
        remove = copy_migrated(shared_folder)
        keep_migrated_rows()
    # pytest rewrites the assertions of plugins before they are imported. This module imports one.
    from tests.support.repeated_rows import recordings

    recordings.share(shared_folder / "recordings")
    yield
    with django_db_blocker.unblock():
        remove()


@pytest.fixture(scope="session", autouse=True)
def quick_to_end() -> Iterator[None]:
    with (
        patch.object(TransactionTestCase, "_fixture_teardown", empty_tables),
        patch.object(TestCase, "_fixture_teardown", roll_back),
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def without_kept_figures() -> Iterator[None]:
    """Count figures each time, however slow the machine: the next test's rows have the same ids."""
    from subscribers.audience import count_cache

    with patch.object(count_cache, "QUICK_SECONDS", float("inf")):
        yield


@pytest.fixture
def still_clock() -> Iterator[None]:
    """Stop the clock for a test of a limit: the counts of a minute or an hour begin again at its end."""
    with time_machine.travel(timezone.now(), tick=False):
        yield
