"""Where a soak runs: a PostgreSQL of its own where its binaries are, otherwise SQLite."""

import os
from contextlib import ExitStack


def choose_database(stack: ExitStack, *, sqlite: bool) -> None:
    """Sets the environment for every process below; the server ends with ``stack``."""
    from tests.support.postgres import find_binary, temporary_postgres

    if not sqlite and "NEWSLETTER_TEST_DATABASE_URL" not in os.environ and find_binary("initdb"):
        os.environ["NEWSLETTER_TEST_DATABASE_URL"] = stack.enter_context(temporary_postgres())
    import tests.support.environment  # noqa: F401 - the settings of the test run, for every process below
