"""The origin of a setting's value, as `newsletter doctor` shows it, without secrets."""

from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """The source of a setting's value."""

    ENVIRONMENT = "environment"
    FILE = "file"
    MADE = "made"
    DEFAULT = "default"


@dataclass(frozen=True)
class SettingValue:
    """One setting: its name, its value without any secret, and its origin. `where` is the file, if there is one."""

    name: str
    value: str
    origin: Origin
    where: str = ""

    def describe_origin(self) -> str:
        """Return the origin in words: “environment”, “/srv/newsletter/.env”, “made, in /srv/var/secret.key”, “default”."""
        if self.origin is Origin.FILE:
            return self.where
        if self.origin is Origin.MADE:
            return f"made, kept in {self.where}"
        return str(self.origin)
