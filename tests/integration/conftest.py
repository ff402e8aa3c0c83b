"""Tests of the product against other programs' servers, run only by `make integration`."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.integration.organisation import Organisation, open_organisation
from tests.integration.readers import at_home, make_programs
from tests.integration.wordpress import BUILDS, Build, WordPress, run_mariadb, run_wordpress
from tests.integration.wordpress_plugin import (
    BLOCK,
    PASSWORD,
    PLUGIN,
    Newsletter,
    copy_plugin,
    read_faults,
    serve_newsletter,
)
from tests.support.desk_browser import ANSWER_MS, CHROMIUM

collect_ignore_glob = [] if os.environ.get("NEWSLETTER_INTEGRATION") else ["test_*.py"]
expect.set_options(timeout=ANSWER_MS)


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
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs of a reader of the guides."""
    return make_programs(tmp_path_factory.mktemp("reader") / "venv")


@pytest.fixture
def reader(organisation: Organisation, programs: Path, tmp_path: Path) -> dict[str, str]:
    """Return the environment of a reader whose newsletter is not served."""
    home = tmp_path / "home"
    home.mkdir()
    return at_home(organisation, home=home, programs=programs)


@pytest.fixture(scope="session", params=BUILDS, ids=lambda build: build.name)
def build(request: pytest.FixtureRequest) -> Build:
    """Return each WordPress in turn: the tests that use one run on all."""
    found: Build = request.param
    missing = found.list_missing()
    if missing:
        pytest.skip(f"WordPress ({found.name}) is not installed: {', '.join(missing)} missing.")
    return found


@pytest.fixture(scope="session")
def database_server() -> Iterator[Callable[[], str]]:
    """Return a function that starts one MariaDB at its first call, and returns the path of its socket."""
    with ExitStack() as stack:
        sockets: list[str] = []

        def start() -> str:
            if not sockets:
                sockets.append(stack.enter_context(run_mariadb()))
            return sockets[0]

        yield start


@pytest.fixture(scope="session")
def mariadb(build: Build, database_server: Callable[[], str]) -> str:
    """Return the path of the database's socket, if there is a WordPress for it."""
    return database_server()


@pytest.fixture
def new_wordpress(build: Build, mariadb: str, tmp_path: Path) -> Iterator[Callable[..., WordPress]]:
    """Return a function that installs and serves one more WordPress."""
    with ExitStack() as stack:
        made: list[WordPress] = []

        def install(*, folder: str = "", permalinks: str = "/%postname%/") -> WordPress:
            name = f"wp_{re.sub('[^a-z0-9]', '_', tmp_path.name)[:40]}_{len(made)}"
            root = tmp_path / name
            site = stack.enter_context(run_wordpress(root, build=build, socket=mariadb, database=name, folder=folder))
            if permalinks:
                site.do("permalinks", structure=permalinks)
            made.append(site)
            return site

        yield install


@pytest.fixture
def wordpress(new_wordpress: Callable[..., WordPress]) -> WordPress:
    return new_wordpress()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        started.on("context", lambda context: context.set_default_timeout(ANSWER_MS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def newsletter(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[Newsletter]:
    """Return a served newsletter with a key for a website."""
    folder = tmp_path_factory.mktemp("newsletter") / "organisation"
    with open_organisation(folder, like=prepared) as organisation, serve_newsletter(organisation) as served:
        yield served


@pytest.fixture(scope="session")
def newsletter_beside_site(
    build: Build, tmp_path_factory: pytest.TempPathFactory, prepared: Path
) -> Iterator[Newsletter]:
    """Return a served newsletter of its own for each WordPress, so that nobody signed up there before."""
    folder = tmp_path_factory.mktemp("beside") / "organisation"
    with open_organisation(folder, like=prepared) as organisation, serve_newsletter(organisation) as served:
        yield served


@pytest.fixture(scope="session")
def site(build: Build, mariadb: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WordPress]:
    """Return a WordPress with the plugin, an administrator and an author. PHP may not warn about the plugin."""
    root = tmp_path_factory.mktemp("site") / "wordpress"
    with run_wordpress(root, build=build, socket=mariadb, database=f"wp_plugin_{build.name}") as made:
        made.do("permalinks", structure="/%postname%/")
        made.do("user", name="author", password=PASSWORD, role="author")
        copy_plugin(made)
        made.do("activate", plugin=PLUGIN)
        yield made
        assert read_faults(made) == []


@pytest.fixture(scope="session")
def page(site: WordPress) -> str:
    """Return the address of a page with the block."""
    return site.address(site.publish("Get involved", BLOCK, post_type="page"))
