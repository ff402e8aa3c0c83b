"""Give a restored installation its keys, never over keys that are in use."""

from pathlib import Path

from django.conf import settings

from newsletter.backups.errors import TargetNotEmpty
from newsletter.backups.installation import (
    ADDRESS_KEY,
    ADDRESS_KEY_FILE,
    OLD_KEYS,
    SECRET_KEY,
    SECRET_KEY_FILE,
    SETTINGS_KEY,
    Installation,
)
from newsletter.backups.placement import Placement

_SETTINGS = {
    SECRET_KEY: "NEWSLETTER_SECRET_KEY",
    OLD_KEYS: "NEWSLETTER_OLD_SECRET_KEYS",
    ADDRESS_KEY: "NEWSLETTER_ADDRESS_KEY",
}


def stage_keys(keys: dict[str, str], installation: Installation, placement: Placement, *, folder: Path) -> list[Path]:
    """Stage the key files, and in ``folder`` all keys and the old settings file. Return the files in that folder.

    Raises:
        TargetNotEmpty: This installation has another key, by a setting or in a file that this process did not make.
    """
    if not keys:
        return []
    for name, file, present in (
        (SECRET_KEY, SECRET_KEY_FILE, settings.SECRET_KEY),
        (ADDRESS_KEY, ADDRESS_KEY_FILE, settings.SUBSCRIBERS_ADDRESS_KEY),
    ):
        path = installation.data_folder / file
        if present == keys[name]:
            continue
        if path not in settings.NEWSLETTER_MADE_KEYS:
            raise _other_key(_SETTINGS[name], path)
        placement.stage(file, [keys[name].encode()], place=path)
    lines = [f"{setting}={keys[name]}\n" for name, setting in _SETTINGS.items() if name in keys]
    beside = {"keys.env": "".join(lines)}
    if SETTINGS_KEY in keys:
        beside["settings.env"] = keys[SETTINGS_KEY]
    for name, text in beside.items():
        placement.stage(name, [text.encode()], place=folder / name)
    return [folder / name for name in beside]


def _other_key(setting: str, path: Path) -> TargetNotEmpty:
    return TargetNotEmpty(
        f"This installation has another {setting} than the archive. Nothing was restored. Take it out of the settings, "
        f"move {path} away if there is one, and leave NEWSLETTER_PRODUCTION out until the restore is done. "
        "Then run this again: it writes the keys of the archive."
    )
