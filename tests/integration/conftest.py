"""Tests of the product against other programs' servers, run only by `make integration`."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.organisation import Organisation, open_organisation
from tests.integration.wordpress import WordPress, list_missing, run_mariadb, run_wordpress

collect_ignore_glob = [] if os.environ.get("NEWSLETTER_INTEGRATION") else ["test_*.py"]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an organisation that is set up and has no source yet. Its tables are made once."""
    folder = tmp_path_factory.mktemp("prepared") / "organisation"
    with open_organisation(folder) as made:
        made.set_up()
    return folder


@pytest.fixture
def organisation(tmp_path: Path, prepared: Path) -> Iterator[Organisation]:
    with open_organisation(tmp_path / "organisation", like=prepared) as made:
        yield made


@pytest.fixture(scope="session")
def mariadb() -> Iterator[str]:
    missing = list_missing()
    if missing:
        pytest.skip(f"WordPress is not installed: {', '.join(missing)} missing.")
    with run_mariadb() as socket:
        yield socket


@pytest.fixture
def new_wordpress(mariadb: str, tmp_path: Path) -> Iterator[Callable[..., WordPress]]:
    """Return a function that installs and serves one more WordPress."""
    with ExitStack() as stack:
        made: list[WordPress] = []

        def install(*, folder: str = "", permalinks: str = "/%postname%/") -> WordPress:
            name = f"wp_{tmp_path.name.replace('-', '_')[:40]}_{len(made)}"
            root = tmp_path / name
            site = stack.enter_context(run_wordpress(root, socket=mariadb, database=name, folder=folder))
            if permalinks:
                site.do("permalinks", structure=permalinks)
            made.append(site)
            return site

        yield install


@pytest.fixture
def wordpress(new_wordpress: Callable[..., WordPress]) -> WordPress:
    return new_wordpress()
