"""Read the URLs of further provider accounts, NEWSLETTER_PROVIDER_URL_NAME, and when a send moves to the second."""

import os

from newsletter.project.setting_values import read_text
from newsletter.project.settings_file import BadSetting
from newsletter.providers.accounts import DEFAULT_ACCOUNT, FURTHER_SETTING, URL_SETTING

AWAY_SETTING = "NEWSLETTER_ACCOUNT_AWAY_MINUTES"
DEFAULT_AWAY_MINUTES = 30
MAX_AWAY_MINUTES = 24 * 60


def read_further_accounts() -> dict[str, str]:
    """Return the URLs of the further accounts by name, in the order of their names. Raise BadSetting for a bad name."""
    urls = {}
    for setting in sorted(name for name in os.environ if name.startswith(f"{URL_SETTING}_")):
        if not (url := read_text(setting, "")):
            continue
        match = FURTHER_SETTING.fullmatch(setting)
        if match is None:
            raise BadSetting(
                setting,
                f"{setting[:80]} does not name a provider account. Write {URL_SETTING}_ and a name of at most 30 capital "
                "letters, digits and underscores that begins with a letter.",
            )
        if (name := match["name"].lower()) == DEFAULT_ACCOUNT:
            raise BadSetting(
                setting, f"{setting} has the name of the account of {URL_SETTING}. Give it another, such as BACKUP."
            )
        urls[name] = url
    return urls


def read_away_minutes() -> int:
    """Return after how many minutes without an answer a send moves to the second account. Raise BadSetting."""
    text = read_text(AWAY_SETTING, str(DEFAULT_AWAY_MINUTES))
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MAX_AWAY_MINUTES):
        raise BadSetting(
            AWAY_SETTING, f"{AWAY_SETTING} is “{text[:20]}”. Write whole minutes from 1 to {MAX_AWAY_MINUTES}."
        )
    return int(text)
