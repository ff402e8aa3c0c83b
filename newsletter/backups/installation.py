"""The parts of an installation: the data folder, the database file, the keys and the organisation's file."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

SECRET_KEY_FILE, ADDRESS_KEY_FILE = "secret.key", "address.key"
ORGANISATION_FILE = "organisation.toml"
SETTINGS_KEY, SECRET_KEY, ADDRESS_KEY, OLD_KEYS = "settings_file", "secret_key", "address_key", "old_secret_keys"


@dataclass(frozen=True)
class Installation:
    """The configured installation. ``database_file`` is None on PostgreSQL; ``settings_file`` if there is none."""

    engine: str
    data_folder: Path
    database_file: Path | None
    settings_file: Path | None
    organisation_file: Path

    @property
    def media(self) -> Path:
        return self.data_folder / "media"


def describe_installation() -> Installation:
    """Return the installation of this process's settings."""
    env_file: Path | None = settings.ENV.env_file
    settings_path = env_file if env_file is not None and env_file.is_file() else None
    return Installation(
        engine=connection.vendor,
        data_folder=Path(settings.NEWSLETTER_DATA_DIR),
        database_file=settings.NEWSLETTER_DATABASE_FILE,
        settings_file=settings_path,
        organisation_file=(settings_path.parent if settings_path else Path()) / ORGANISATION_FILE,
    )


def remove_made_keys() -> None:
    """Remove the keys that this process made. Otherwise the next restore would take them for keys that are in use.

    A file that holds another key by now, such as one of an archive, stays.
    """
    made = {settings.SECRET_KEY, settings.SUBSCRIBERS_ADDRESS_KEY}
    for file in settings.NEWSLETTER_MADE_KEYS:
        if file.is_file() and file.read_text(encoding="utf-8").strip() in made:
            file.unlink()


def collect_keys(installation: Installation) -> dict[str, str]:
    """Return what must be kept secret: the keys in use, and the settings file with the provider's key."""
    keys = {SECRET_KEY: settings.SECRET_KEY, ADDRESS_KEY: settings.SUBSCRIBERS_ADDRESS_KEY}
    old = [key for key in settings.SUBSCRIBERS_LINK_KEYS if key != settings.SECRET_KEY]
    if old:
        keys[OLD_KEYS] = ",".join(old)
    if installation.settings_file is not None:
        keys[SETTINGS_KEY] = installation.settings_file.read_text(encoding="utf-8", errors="replace")
    return keys
