"""`newsletter doctor` shows every setting with where it came from, and what is wrong with the settings themselves."""

import json
import re
import shutil
from pathlib import Path

import pytest

from newsletter.organisation.health.configuration import (
    check_keys,
    check_monitor,
    check_proxies,
    check_quotes,
    check_repeated_names,
    check_setting_names,
    check_settings_file,
)
from newsletter.organisation.sample_files import read_sample
from newsletter.project import env
from newsletter.project.setting_origins import describe
from newsletter.project.settings_file import SettingsFile
from tests.support.unconfigured import run_unconfigured

SECRETS = {
    "NEWSLETTER_SECRET_KEY": "hush-secret-key",
    "NEWSLETTER_API_KEY": "nl_hush-api-key",
    "NEWSLETTER_OLD_SECRET_KEYS": "hush-old-one,hush-old-two",
    "NEWSLETTER_ADDRESS_KEY": "hush-address-key",
    "NEWSLETTER_PROVIDER_URL": "mailgun://hush-provider@news.example.org?webhook_key=hush-webhook",
    "NEWSLETTER_PULSE_URL": "https://monitor.example.org/hush-pulse?token=hush-token",
}
KNOWN = ("NEWSLETTER_SITE_URL", "NEWSLETTER_ONLY_TO", "DATABASE_URL")


def doctor(folder: Path, **environment: str) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]], str]:
    """Settings by name, checks by name, and all that was said."""
    done = run_unconfigured(["doctor", "--json"], folder=folder, **environment)
    told = json.loads(done.stdout)
    by_name = {one["name"]: one for one in told["settings"]}
    return by_name, {one["check"]: one for one in told["checks"]}, done.stdout + done.stderr


@pytest.mark.long
def test_every_setting_is_shown_with_its_origin_and_no_secret(tmp_path: Path) -> None:
    lines = [f"{name}={value}" for name, value in SECRETS.items() if name != "NEWSLETTER_ADDRESS_KEY"]
    lines += ["DATABASE_URL=postgres://letter:hush-database@127.0.0.1:1/letter?sslpassword=hush-option"]
    lines += ["NEWSLETTER_TIME_ZONE=Europe/London", "NEWSLETTER_SITE_ULR=https://letter.example.org"]
    (tmp_path / ".env").write_text("\n".join(lines))
    (tmp_path / ".env").chmod(0o644)
    shown, checks, said = doctor(tmp_path, NEWSLETTER_TIME_ZONE="America/New_York", NEWSLETTER_LINK_CHECK="false")
    assert set(shown) == set(env.read().by_name())
    origins = {name: one["origin"] for name, one in shown.items()}
    assert origins["NEWSLETTER_TIME_ZONE"] == "environment"
    assert origins["NEWSLETTER_SECRET_KEY"] == origins["DATABASE_URL"] == "file"
    assert origins["NEWSLETTER_ADDRESS_KEY"] == "made"
    assert origins["NEWSLETTER_SITE_URL"] == "default"
    assert shown["NEWSLETTER_TIME_ZONE"]["value"] == "America/New_York"
    assert shown["DATABASE_URL"]["value"] == "postgres://letter:(hidden)@127.0.0.1:1/letter?(hidden)"
    assert shown["NEWSLETTER_SECRET_KEY"]["where"] == str(tmp_path / ".env")
    assert "hush" not in said
    assert (tmp_path / "var" / "address.key").read_text() not in said
    assert checks["setting NEWSLETTER_SITE_ULR"]["do"] == "Did you mean NEWSLETTER_SITE_URL?"
    assert checks["setting NEWSLETTER_LINK_CHECK"]["do"] == "Did you mean NEWSLETTER_LINK_CHECKS?"
    assert checks["settings file"]["level"] == "error", "others can read it"
    assert checks["keys"]["level"] == "warning"


@pytest.mark.long
def test_settings_are_shown_as_lines_too(tmp_path: Path, migrated_sqlite: Path) -> None:
    (tmp_path / ".env").write_text("NEWSLETTER_TIME_ZONE=Europe/London\n")
    (tmp_path / "var").mkdir()
    shutil.copy(migrated_sqlite, tmp_path / "var" / "newsletter.sqlite3")
    said = run_unconfigured(["doctor"], folder=tmp_path).stdout
    assert f"NEWSLETTER_TIME_ZONE = Europe/London  [{tmp_path}/.env]" in said
    assert f"NEWSLETTER_SECRET_KEY = (hidden)  [made, kept in {tmp_path}/var/secret.key]" in said
    assert "NEWSLETTER_ONLY_TO = (empty)  [default]" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NEWSLETTER_PROVIDER_URL", "hush-key-without-a-scheme"),
        ("NEWSLETTER_PROVIDER_URL", "mail gun hush://x"),
        ("NEWSLETTER_PULSE_URL", "hush"),
        ("NEWSLETTER_PULSE_URL", "https://[hush"),
        ("DATABASE_URL", "hush"),
        ("DATABASE_URL", "postgres://u:hush@[x/n"),
        ("NEWSLETTER_SITE_URL", "https://u:hush@letter.example.org"),
    ],
)
def test_a_value_that_cannot_be_read_is_hidden_whole(name: str, value: str) -> None:
    assert "hush" not in describe(name, value, environ={name: value}, file=SettingsFile()).value


@pytest.mark.parametrize(
    ("name", "in_file", "level", "do"),
    [
        ("NEWSLETTER_SITE_ULR", True, "error", "Did you mean NEWSLETTER_SITE_URL?"),
        ("NEWSLETTER_SITE_ULR", False, "warning", "Did you mean NEWSLETTER_SITE_URL?"),
        ("newsletter_only_to", True, "error", "Did you mean NEWSLETTER_ONLY_TO?"),
        ("NEWLETTER_ONLY_TO", True, "error", "Did you mean NEWSLETTER_ONLY_TO?"),
        ("DATABASE_ULR", True, "error", "Did you mean DATABASE_URL?"),
        ("NEWSLETTER_XYZZY", True, "error", "Remove it, or correct its name."),
    ],
)
def test_a_misspelt_setting_is_named_with_the_nearest_one(name: str, in_file: bool, level: str, do: str) -> None:
    found = list(check_setting_names(environ={name: "x"}, in_file={name} if in_file else set(), setting_names=KNOWN))
    assert [(one.check, one.level, one.do) for one in found] == [(f"setting {name}", level, do)]


def test_a_name_without_its_prefix_in_the_file_is_a_warning() -> None:
    found = list(check_setting_names(environ={}, in_file={"SITE_URL"}, setting_names=KNOWN))
    assert [(one.check, one.level) for one in found] == [("setting SITE_URL", "warning")]
    assert found[0].do.startswith("Did you mean NEWSLETTER_SITE_URL?")


@pytest.mark.parametrize("name", ["PATH", "AWS_REGION", "DATABASE_HOST", "NEWSLETTER_PORT_8000_TCP", *KNOWN])
def test_names_that_belong_to_others_are_not_complained_of(name: str) -> None:
    assert list(check_setting_names(environ={name: "x"}, in_file=set(), setting_names=KNOWN)) == []


def test_quotation_marks_that_were_left_in_a_value_are_named() -> None:
    found = list(
        check_quotes(environ={"DATABASE_URL": '"sqlite:///x"', "NEWSLETTER_ONLY_TO": "a'"}, setting_names=KNOWN)
    )
    assert [one.check for one in found] == ["setting DATABASE_URL"]


def test_a_setting_that_is_written_twice_is_named_with_its_lines() -> None:
    repeated = {"NEWSLETTER_SITE_URL": (3, 9), "NEWSLETTER_ONLY_TO": (1, 2, 4)}
    only_to, site_url = check_repeated_names(repeated, file=Path("/srv/.env"))
    assert (site_url.check, site_url.level) == ("setting NEWSLETTER_SITE_URL", "warning")
    assert site_url.says == "/srv/.env has this setting 2 times, and only line 9 counts."
    assert "remove line 3, or line 9" in site_url.do
    assert "remove lines 1, 2, or line 4" in only_to.do


def test_doctor_names_a_setting_that_is_written_twice(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NEWSLETTER_TIME_ZONE=UTC\nNEWSLETTER_TIME_ZONE=Europe/London\n")
    (tmp_path / ".env").chmod(0o600)
    done = run_unconfigured(["doctor", "--quick", "--json"], folder=tmp_path)
    checks = json.loads(done.stdout)["checks"]
    assert [row["says"] for row in checks if row["check"] == "setting NEWSLETTER_TIME_ZONE"] == [
        f"{tmp_path / '.env'} has this setting 2 times, and only line 2 counts."
    ]


@pytest.mark.parametrize(("mode", "level"), [(0o600, "ok"), (0o640, "ok"), (0o644, "error"), (0o604, "error")])
def test_a_settings_file_that_others_can_read_is_an_error(mode: int, level: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.touch()
    file.chmod(mode)
    assert check_settings_file(file, folder=tmp_path).level == level


def test_without_a_settings_file_its_folder_is_named(tmp_path: Path) -> None:
    found = check_settings_file(None, folder=tmp_path)
    assert (found.level, str(tmp_path) in found.says) == ("ok", True)


@pytest.mark.parametrize(
    ("url", "proxies", "level"),
    [
        ("https://letter.example.org", [], "error"),
        ("https://letter.example.org", ["127.0.0.1"], "ok"),
        ("https://letter.example.org", ["0.0.0.0/0"], "error"),
        ("https://letter.example.org", ["127.0.0.1", "::/0"], "error"),
        ("https://127.0.0.1", [], "ok"),
        ("http://127.0.0.1:8000", [], "ok"),
        ("nonsense", [], "ok"),
    ],
)
def test_a_public_address_without_trusted_proxies_is_an_error(url: str, proxies: list[str], level: str) -> None:
    assert check_proxies(url, proxies=proxies).level == level


@pytest.mark.parametrize(
    ("url", "levels"),
    [
        ("", []),
        ("https://monitor.example.org/hush", []),
        ("hush", ["error"]),
        ("ftp://monitor.example.org/hush", ["error"]),
    ],
)
def test_an_address_of_a_monitor_that_cannot_be_asked_is_an_error(url: str, levels: list[str]) -> None:
    found = list(check_monitor(url, allowed=[]))
    assert [one.level for one in found] == levels
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/x", "http://localhost:3001/x", "http://[::1]:3001/x", "https://10.0.0.7/x"]
)
def test_a_private_monitor_that_may_not_be_asked_is_an_error(url: str) -> None:
    (found,) = check_monitor(url, allowed=["192.168.0.0/16"])
    assert found.level == "error"
    assert "NEWSLETTER_FETCH_ALLOW" in found.do
    assert list(check_monitor(url, allowed=["localhost", "127.0.0.0/8", "::1", "10.0.0.7"])) == []


def test_weak_keys_are_a_warning_in_a_trial() -> None:
    assert check_keys([], production=False).level == "ok"
    assert check_keys(["NEWSLETTER_ADDRESS_KEY"], production=False).level == "warning"


def test_the_sample_env_names_only_settings_that_are_read() -> None:
    named = set(re.findall(r"^#? ?([A-Z_]+)=", read_sample("sample.env"), re.MULTILINE))
    assert "NEWSLETTER_TRUSTED_PROXIES" in named
    assert named <= set(env.read().by_name())
