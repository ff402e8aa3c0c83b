"""Each test has a data folder of its own, and sees nothing that an earlier test left in the process."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from newsletter.issues.archive import public_view
from newsletter.sending import adapters
from subscribers.audience.count_cache import forget_counts
from tests.support.process_caches import (
    clear_bad_link_cache,
    clear_branding_cache,
    clear_kept_audiences,
    clear_logged_errors,
    clear_term_matcher,
    close_circuit,
)


class SpareFolders:
    """Empty folders for tests that do not ask for `tmp_path`. Few tests write, so the next one takes the same folder."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._empty: Path | None = None

    def take(self) -> Path:
        folder, self._empty = self._empty or self._factory.mktemp("data"), None
        return folder

    def give_back(self, folder: Path) -> None:
        """Keep an empty folder for the next test, and delete one in which something is."""
        if any(folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            self._empty = folder


@pytest.fixture(scope="session")
def spare_folders(tmp_path_factory: pytest.TempPathFactory) -> SpareFolders:
    return SpareFolders(tmp_path_factory)


@pytest.fixture(autouse=True)
def nothing_of_other_tests(request: pytest.FixtureRequest, spare_folders: SpareFolders) -> Iterator[None]:
    """Set the folder and the journal of the test, and clear the caches that a process keeps between requests.

    One fixture does all of it, and no signal tells of the settings: thousands of tests are shorter than either.
    """
    asks = "tmp_path" in request.fixturenames
    folder: Path = request.getfixturevalue("tmp_path") if asks else spare_folders.take()
    usual = settings.NEWSLETTER_DATA_DIR, settings.SUBSCRIBERS_JOURNAL
    settings.NEWSLETTER_DATA_DIR, settings.SUBSCRIBERS_JOURNAL = folder, folder / "left.journal"
    adapters._adapter.cache_clear()
    clear_branding_cache()
    clear_term_matcher()
    clear_bad_link_cache()
    clear_kept_audiences()
    clear_logged_errors()
    close_circuit()
    yield
    settings.NEWSLETTER_DATA_DIR, settings.SUBSCRIBERS_JOURNAL = usual
    adapters._adapter.cache_clear()
    # Django keeps the language of the last request for what the thread does next.
    translation.deactivate()
    # The next test's rows have the same ids.
    forget_counts()
    public_view.render_for_archive.cache_clear()
    public_view.render_redacted_variant.cache_clear()
    if not asks:
        spare_folders.give_back(folder)
