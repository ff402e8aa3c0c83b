"""A real WordPress on loopback: a package's files with PHP's own server and a MariaDB."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.servers import run_server
from tests.integration.tools import FOLDER
from tests.support.ports import free_port

HERE = Path(__file__).parent
THEME = "twentytwentythree"
DATABASE_USER = "nobody"
STORIES = """<?php
add_action('init', function () {
    register_post_type('field_story', [
        'public' => true, 'show_in_rest' => true, 'rest_base' => 'field-stories', 'label' => 'Field stories',
        'supports' => ['title', 'editor', 'excerpt', 'thumbnail'],
    ]);
});
"""


WATCH = """<?php
set_error_handler(function (int $kind, string $text, string $file, int $line): bool {
    $plugin = WP_PLUGIN_DIR . '/newsletter-signup/';
    $callers = array_column(debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS), 'file');
    $is_wordpress_own = $kind & (E_USER_ERROR | E_USER_WARNING | E_USER_NOTICE | E_USER_DEPRECATED);
    foreach ($is_wordpress_own ? $callers : [$file] as $one) {
        if (str_starts_with($one, $plugin)) {
            error_log("PHP fault of newsletter-signup: $text ($file:$line)");
            break;
        }
    }
    return false;
});
"""
"""Names the plugin also if WordPress itself reports a wrong or outdated call, from its own file."""


@dataclass(frozen=True)
class Build:
    """The files of one version of WordPress, as a package brings them."""

    name: str
    folder: Path

    @property
    def theme(self) -> Path:
        return self.folder / "wp-content" / "themes" / THEME

    def list_missing(self) -> list[str]:
        """Return the programs and files that this WordPress needs and that are not installed."""
        programs = ("php", "mariadbd", "mariadb-install-db")
        missing = [name for name in programs if not _find(name)]
        return missing + [str(path) for path in (self.folder / "wp-settings.php", self.theme) if not path.exists()]


DEBIAN = Build("debian", Path("/usr/share/wordpress"))
NPM = Build("npm", FOLDER / "wordpress")
BUILDS = (DEBIAN, NPM)


class WordPress:
    """One site. Its posts are changed by WordPress's own functions, as its editor changes them."""

    def __init__(self, *, root: Path, url: str, folder: str, build: Build) -> None:
        self.root, self.url, self._folder = root, url + folder, root / folder.strip("/")
        self.build = build

    def do(self, action: str, **values: Any) -> Any:
        """Run one action of wordpress.php and return its result."""
        done = subprocess.run(
            ["php", str(HERE / "wordpress.php"), str(self._folder), self.url],
            input=json.dumps({"do": action, "with": values}),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"WordPress refused to {action}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def publish(self, title: str, content: str, **fields: Any) -> int:
        """Publish a post and return its id."""
        return int(self.do("save", post_title=title, post_content=content, post_status="publish", **fields))

    def change(self, post: int, **fields: Any) -> None:
        self.do("save", ID=post, **fields)

    def address(self, post: int) -> str:
        return str(self.do("address", ID=post))


@contextmanager
def run_mariadb() -> Iterator[str]:
    """Start a database server of our own and yield the path of its socket. It does not run as root."""
    port = free_port()
    user = DATABASE_USER if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="newsletter-mariadb-") as made:
        folder = Path(made)
        if user:
            shutil.chown(folder, user=user)
        data, socket = folder / "data", str(folder / "sock")
        install = [_find("mariadb-install-db"), "--no-defaults", f"--datadir={data}", f"--tmpdir={folder}"]
        options = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        done = subprocess.run(
            [*install, *options], user=user, capture_output=True, text=True, timeout=120, cwd="/", check=False
        )
        if done.returncode:
            raise RuntimeError(f"MariaDB could not make its tables: {done.stdout} {done.stderr}")
        command = [_find("mariadbd"), "--no-defaults", f"--datadir={data}", f"--socket={socket}", f"--port={port}"]
        # A server removes the temporary tables that it finds when it starts, also those of another server.
        command.append(f"--tmpdir={folder}")
        options = ["--bind-address=127.0.0.1", "--skip-grant-tables", "--innodb-flush-log-at-trx-commit=0"]
        with run_server([*command, *options], port=port, log=folder / "server.log", user=user, cwd=Path("/")):
            yield socket


@contextmanager
def run_wordpress(root: Path, *, build: Build, socket: str, database: str, folder: str = "") -> Iterator[WordPress]:
    """Install a WordPress below ``folder`` of a new site and serve it. It makes no requests of its own."""
    port = free_port()
    url, place = f"http://127.0.0.1:{port}", root / folder.strip("/")
    shutil.copytree(build.folder, place, symlinks=False)
    plugins = place / "wp-content" / "mu-plugins"
    plugins.mkdir(parents=True)
    (plugins / "stories.php").write_text(STORIES)
    (plugins / "watch.php").write_text(WATCH)
    (place / "wp-config.php").write_text(_write_config(socket=socket, database=database, url=url + folder))
    _create_database(socket, database)
    site = WordPress(root=root, url=url, folder=folder, build=build)
    site.do("install", title="Justice in the field")
    command = ["php", "-S", f"127.0.0.1:{port}", "-t", str(root), str(HERE / "wordpress_router.php")]
    env = {"PHP_CLI_SERVER_WORKERS": "4", "WORDPRESS_FOLDER": folder}
    with run_server(command, port=port, log=root / "php.log", env=env):
        yield site


def _create_database(socket: str, name: str) -> None:
    code = "$db = new mysqli('localhost', 'root', '', '', 0, $argv[1]); $db->query('CREATE DATABASE ' . $argv[2]);"
    subprocess.run(["php", "-r", code, "--", socket, name], check=True, timeout=30)


def _write_config(*, socket: str, database: str, url: str) -> str:
    constants = {
        "DB_NAME": database,
        "DB_USER": "root",
        "DB_PASSWORD": "",
        "DB_HOST": f"localhost:{socket}",
        "DB_CHARSET": "utf8mb4",
        "WP_HOME": url,
        "WP_SITEURL": url,
        "DISABLE_WP_CRON": True,
        "WP_HTTP_BLOCK_EXTERNAL": True,
        "AUTOMATIC_UPDATER_DISABLED": True,
        "WP_DEBUG": True,
        "WP_DEBUG_DISPLAY": False,
        "WP_DEBUG_LOG": True,
        "SCRIPT_DEBUG": True,
    }
    defines = "\n".join(f"define('{name}', {json.dumps(value)});" for name, value in constants.items())
    return f"<?php\n{defines}\n$table_prefix = 'wp_';\nif (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');\n" + (
        "require_once ABSPATH . 'wp-settings.php';\n"
    )


def _find(name: str) -> str:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin") or ""
