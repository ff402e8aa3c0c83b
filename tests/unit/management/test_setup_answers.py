"""The answers of `newsletter setup`: each is checked, a bad one is asked again, and all are kept."""

import io
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from zoneinfo import available_timezones

import pytest

from newsletter.common.errors import BadFile
from newsletter.management.setup import answer_checks
from newsletter.management.setup.answer_checks import (
    check_email,
    check_new_site_url,
    check_provider_url,
    check_site_url,
    check_website,
    check_zone,
    find_free_site_url,
    find_machine_zone,
)
from newsletter.management.setup.kept_answers import FILE, KeptAnswers
from newsletter.management.setup.prompt import BadAnswer, NotAnswered, Prompt, explain_stop
from newsletter.management.setup.questions import NAME, POSTAL_ADDRESS, PROVIDER_URL, SITE_URL

PROVIDER = "postmark://a-very-secret-key@"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def make_prompt(tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Prompt]:
    def make(*typed: str, asks: bool = True, **given: str) -> Prompt:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
        return Prompt(given, KeptAnswers(tmp_path), asks=asks, say=said.append)

    return make


@pytest.mark.parametrize(
    ("check", "answer", "message"),
    [
        (check_site_url, "letter.example.org", "is not a whole web address"),
        (check_site_url, "ftp://letter.example.org", "is not a whole web address"),
        (check_site_url, "https://letter.example.org:99999", "is not a whole web address"),
        (check_site_url, "https://a:b@letter.example.org", "is not a whole web address"),
        (check_site_url, "https://example.org/letter", "Write the part before it: https://example.org."),
        (check_provider_url, "mailgin://key@news.example.org", "did you mean mailgun"),
        (check_provider_url, "mailgun", "No mail could be sent with it"),
        (check_email, "ann", "so no mail could arrive there"),
        (check_email, "", "so no mail could arrive there"),
        (NAME.check, "", "There is no text"),
        (NAME.check, "a\x1bb", "There is no text"),
        (NAME.check, "a" * 101, "“" + "a" * 40 + "…” has 101 characters. There is only room for 100"),
        (POSTAL_ADDRESS.check, "a" * 301, "has 301 characters. There is only room for 300"),
        (check_zone, "Europe/Londn", "Write one such as Europe/London."),
        (check_zone, "?", "Write one such as Europe/London."),
        (check_website, "two words", "is not a web address"),
        (check_website, "mailto:ann@example.org", "is not a web address"),
        (check_website, "http://[", "is not a web address"),
    ],
)
def test_an_answer_that_cannot_work_is_refused_with_what_to_do(
    check: Callable[[str], str], answer: str, message: str
) -> None:
    with pytest.raises(BadAnswer) as refused:
        check(answer)
    assert message in str(refused.value)
    assert "key@" not in str(refused.value)


@pytest.mark.parametrize(
    ("check", "answer", "used"),
    [
        (check_site_url, "https://letter.example.org/", "https://letter.example.org"),
        (check_provider_url, "none", "outbox://"),
        (check_provider_url, PROVIDER, PROVIDER),
        (check_email, "Ann@example.org", "Ann@example.org"),
        (NAME.check, "a" * 100, "a" * 100),
        (POSTAL_ADDRESS.check, "a" * 300, "a" * 300),
        (check_zone, "Asia/Kolkata", "Asia/Kolkata"),
        (check_website, "www.example.org", "www.example.org"),
        (check_website, "None", "none"),
    ],
)
def test_a_good_answer_is_taken(check: Callable[[str], str], answer: str, used: str) -> None:
    assert check(answer) == used


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9"])
def test_an_address_in_use_on_this_machine_is_refused_with_a_free_one(host: str) -> None:
    with socket.create_server((host, 0)) as taken:
        with pytest.raises(BadAnswer, match=r"cannot be used: .* such as http://127\.0\.0\.1:\d+\."):
            check_new_site_url(f"http://{host}:{taken.getsockname()[1]}")
        assert check_new_site_url("https://letter.example.org:1") == "https://letter.example.org:1"


def test_the_proposed_address_has_a_free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert find_free_site_url(after=port - 1) != f"http://127.0.0.1:{port}"
        monkeypatch.setattr(answer_checks, "MAX_ATTEMPTS", 1)
        assert find_free_site_url(after=port - 1) == "http://127.0.0.1:8000"


def test_the_time_zone_of_this_machine_is_one_that_exists() -> None:
    assert find_machine_zone() in available_timezones()


def test_a_bad_answer_is_asked_again(make_prompt: Callable[..., Prompt], said: list[str]) -> None:
    prompt = make_prompt("letter.example.org", "https://letter.example.org")
    assert prompt.ask(SITE_URL, default="http://127.0.0.1:8000") == "https://letter.example.org"
    assert "is not a whole web address" in said[-1]


def test_enter_takes_the_default(make_prompt: Callable[..., Prompt]) -> None:
    assert make_prompt("").ask(NAME, default="Open Door") == "Open Door"


def test_an_option_is_not_asked_and_a_bad_one_is(make_prompt: Callable[..., Prompt], said: list[str]) -> None:
    assert make_prompt(name="Open Door").ask(NAME) == "Open Door"
    assert make_prompt("https://letter.example.org", site_url="x").ask(SITE_URL) == "https://letter.example.org"
    assert any("is not a whole web address" in line for line in said)


def test_the_next_run_takes_the_kept_answer(make_prompt: Callable[..., Prompt], said: list[str]) -> None:
    make_prompt("Open Door").ask(NAME)
    assert make_prompt().ask(NAME) == "Open Door"
    assert said[-1] == "Name of your organisation: Open Door (kept)"
    assert make_prompt("Other").ask(NAME, is_repeated=True) == "Other"


def test_the_key_of_the_provider_is_kept_privately_and_not_shown(
    make_prompt: Callable[..., Prompt], said: list[str], tmp_path: Path
) -> None:
    assert make_prompt(provider_url=PROVIDER).ask(PROVIDER_URL) == PROVIDER
    assert said == ["Mail provider: postmark"]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_with_yes_a_missing_answer_is_an_error(make_prompt: Callable[..., Prompt]) -> None:
    assert make_prompt(asks=False).ask(NAME, default="Open Door") == "Open Door"
    with pytest.raises(NotAnswered, match="Add --site-url, or leave --yes out"):
        make_prompt(asks=False).ask(SITE_URL)


def test_with_yes_a_bad_option_is_an_error_that_names_it(make_prompt: Callable[..., Prompt]) -> None:
    with pytest.raises(BadAnswer, match=r"^--site-url: “x” is not a whole web address"):
        make_prompt(asks=False, site_url="x").ask(SITE_URL)


def test_yes_or_no_is_asked_until_it_is_one_of_them(make_prompt: Callable[..., Prompt], said: list[str]) -> None:
    assert make_prompt("perhaps", "n").confirm("Take it?", default=True) is False
    assert "neither yes nor no" in said[-1]
    assert make_prompt("").confirm("Take it?", default=True) is True
    assert make_prompt(asks=False).confirm("Take it?", default=False) is False
    assert make_prompt("no").confirm("Take it?", default=True, keep_as="look") is False
    assert make_prompt().confirm("Take it?", default=True, keep_as="look") is False


def test_several_of_the_shown_items_are_chosen(make_prompt: Callable[..., Prompt], said: list[str]) -> None:
    assert make_prompt("4", "3, 1").choose("Which?", count=3) == [0, 2]
    assert "names none of them" in said[-1]
    assert make_prompt("").choose("Which?", count=3) == [0]
    assert make_prompt().choose("Which?", count=1) == [0]


def test_the_end_of_the_input_says_how_to_continue(make_prompt: Callable[..., Prompt], said: list[str]) -> None:
    prompt = make_prompt()
    with (
        pytest.raises(NotAnswered, match=r"Your answers are kept\. Go on with: newsletter setup"),
        explain_stop(prompt.say),
    ):
        prompt.ask(NAME)


def test_ctrl_c_says_how_to_continue(said: list[str]) -> None:
    with pytest.raises(KeyboardInterrupt), explain_stop(said.append):
        raise KeyboardInterrupt
    assert said == ["\nStopped. Your answers are kept. Go on with: newsletter setup"]


def test_a_damaged_file_of_answers_says_what_to_delete(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(BadFile, match=r"cannot be read, so the answers .* Delete it"):
        KeptAnswers(tmp_path)
