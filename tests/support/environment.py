"""Settings of the test run: a data folder of its own, fixed secrets, loopback only. Set before Django reads them."""

import gc
import os
import shutil
import sys
import tempfile

# Tests start hundreds of processes. Each compiles the whole program again if none may keep what it compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Collect garbage seldom: each full collection walks the whole program and all tests.
gc.set_threshold(100_000, 20, 20)

_FOLDER = tempfile.mkdtemp(prefix="newsletter-tests-")
os.environ.update(
    NEWSLETTER_ENV_FILE=os.devnull,  # a `.env` that somebody keeps beside the code is no part of the tests
    NEWSLETTER_DATA_DIR=_FOLDER,
    NEWSLETTER_SITE_URL="http://127.0.0.1:8000",
    NEWSLETTER_SECRET_KEY="a secret of the tests, long enough to sign with",
    NEWSLETTER_ADDRESS_KEY="an address key of the tests, long enough to hash with",
    NEWSLETTER_PROVIDER_URL="outbox://",
    NEWSLETTER_FETCH_ALLOW="127.0.0.1",
    NEWSLETTER_LINK_CHECKS="false",
    NEWSLETTER_PRODUCTION="false",
)
os.environ["DATABASE_URL"] = os.environ.get("NEWSLETTER_TEST_DATABASE_URL", f"sqlite:///{_FOLDER}/tests.sqlite3")


def pytest_unconfigure() -> None:
    """Delete the folder. A process that a test forked never comes here, so it cannot delete the folder of the others."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
