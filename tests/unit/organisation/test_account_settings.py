"""The settings of further provider accounts."""

import pytest
from environs import EnvError

from newsletter.project.account_settings import read_away_minutes, read_further_accounts
from newsletter.project.setting_origins import describe
from newsletter.project.settings_file import SettingsFile
from newsletter.providers.accounts import explain_conflict
from newsletter.providers.registry import read_provider_url

URL = "NEWSLETTER_PROVIDER_URL"


def test_each_further_account_is_a_setting_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{URL}_BACKUP", "postmark://key@")
    monkeypatch.setenv(f"{URL}_EMPTY", "")
    assert read_further_accounts() == {"backup": "postmark://key@"}


@pytest.mark.parametrize(
    ("name", "why"),
    [("9", "does not name"), ("two-words", "does not name"), ("X" * 31, "does not name"), ("DEFAULT", "BACKUP")],
)
def test_an_invalid_name_stops_the_program(monkeypatch: pytest.MonkeyPatch, name: str, why: str) -> None:
    monkeypatch.setenv(f"{URL}_{name}", "postmark://key@")
    with pytest.raises(EnvError, match=why):
        read_further_accounts()


def test_the_key_of_a_further_account_is_never_shown() -> None:
    shown = describe(f"{URL}_BACKUP", "postmark://hush@", environ={}, file=SettingsFile()).value
    assert shown == "postmark://(hidden)"


@pytest.mark.parametrize("given", ["0", "1441", "soon", "-5", "1.5", "٣"])
def test_invalid_minutes_stop_the_program(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("NEWSLETTER_ACCOUNT_AWAY_MINUTES", given)
    with pytest.raises(EnvError, match="whole minutes from 1 to 1440"):
        read_away_minutes()


@pytest.mark.parametrize(
    ("one", "other", "conflicts"),
    [
        ("mailgun://key@a.example.org", "mailgun://key@b.example.org", True),
        ("mailgun://one@a.example.org", "mailgun://two@b.example.org", False),
        ("mailgun://key@a.example.org", "postmark://key@", False),
        ("smtp://me:secret@a.example.org", "smtps://me:secret@a.example.org", True),
        ("smtp://me:secret@a.example.org", "smtp://me:secret@b.example.org", False),
        ("ses://key:one@eu-west-1", "ses://key:one@us-east-1", True),
    ],
)
def test_accounts_with_one_key_conflict(one: str, other: str, conflicts: bool) -> None:
    others = {"default": read_provider_url(one)}
    assert bool(explain_conflict("backup", read_provider_url(other), others=others)) is conflicts
