"""An installation with an issue to send, for each crash test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.crash_template import BATCH, ENGINE, PEOPLE, prepare_template
from tests.support.fake_provider import FakeProvider
from tests.support.processes import Installation, copy_database, drop_database

Install = Callable[..., Installation]


@pytest.fixture
def install(fake_provider: FakeProvider, shared_folder: Path, tmp_path: Path) -> Iterator[Install]:
    """Make an installation whose issue is approved, or whose send was begun; everything in it ends with the test."""
    made: list[Installation] = []

    def make(state: str = "begun", *, folder: Path = tmp_path, engine: str = ENGINE) -> Installation:
        template = prepare_template(folder=shared_folder, people=PEOPLE, state=state, batch=BATCH)
        url = copy_database(template, to=folder)
        installation = Installation(folder=folder, database_url=url, provider=fake_provider, engine=engine, batch=BATCH)
        made.append(installation)
        return installation

    yield make
    fake_provider.release()
    for installation in made:
        installation.end()
        drop_database(installation.database_url)
