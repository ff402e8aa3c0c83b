"""The organisation's file is read strictly, and each fault is said in words that name the table and the key."""

from pathlib import Path

import pytest

from newsletter.common.errors import BadFile
from newsletter.demo.sample_content import write_organisation
from newsletter.organisation.read_file import MAX_ORGANISATION_FILE_BYTES, read_organisation
from newsletter.organisation.sample_files import read_sample, write_samples
from newsletter.organisation.value_types import format_interval, parse_interval_minutes

PUBLICATION = '[[publication]]\nslug = "weekly"\n'
SOURCE = '[[source]]\nname = "Stories"\n'


def say(tmp_path: Path, text: str | bytes) -> str:
    """The message about a file's text."""
    file = tmp_path / "organisation.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadFile) as caught:
        read_organisation(file)
    return str(caught.value)


def test_the_sample_file_and_the_demonstrations_file_are_valid(tmp_path: Path) -> None:
    for text in (read_sample("sample.toml"), write_organisation(site="http://127.0.0.1:9")):
        file = tmp_path / "organisation.toml"
        file.write_text(text, encoding="utf-8")
        assert read_organisation(file).publications[0].slug == "weekly"


def test_the_sample_file_has_every_key_of_every_table() -> None:
    from newsletter.organisation.read_file import _keys_of
    from newsletter.organisation.schema import ENTRIES

    sample = read_sample("sample.toml")
    hidden = {"enabled"}
    for kind, entry in ENTRIES.items():
        part = sample[sample.index(f"[{kind}]") :]
        missing = [key for key in _keys_of(entry) if f"{key} = " not in part and key not in hidden]
        assert missing == [], f"Show it under [{kind}] in newsletter/organisation/sample.toml."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PUBLICATION + 'schedul = "0 9 * * thu"', "weekly: unknown key “schedul”; did you mean “schedule”?"),
        (SOURCE + "zzz = 1", "[[source]] Stories: unknown key “zzz”; known are name, kind, url"),
        ('[[publicaton]]\nslug = "a"', "unknown table [publicaton]; did you mean “publication”?"),
        ('[brand]\ncolor = "#123456"', "[brand]: unknown key “color”; did you mean “colour”?"),
        ('[[list]]\nname = "No slug"', "[[list]] number 1: “slug” is missing."),
        ('[[list]]\nslug = "two words"', "[[list]] two words: slug: “two words” cannot be a slug"),
        ('[[list]]\nslug = "a"\n[[list]]\nslug = "a"', "[[list]] a is in the file 2 times."),
        ('[[list]]\nslug = "a"\ndouble_opt_in = "yes"', "double_opt_in: write true or false, without quotes."),
        ('list = "weekly"', "[[list]]: this must be a table, written as [[list]]"),
        ('brand = "us"', "[brand]: this must be a table"),
        ('[[topic]]\nslug = "a"\nname = "one\\ntwo"', "[[topic]] a: name: this must be one line"),
        ('[brand]\ncolour = "red"', "[brand]: colour: “red” is not a colour"),
        ('[brand]\nwebsite = "www.example.org"', "[brand]: website: “www.example.org” is not a web address"),
        ('[brand]\nwebsite = "http://[::1"', "[brand]: website: “http://[::1” is not a web address"),
        ('[brand]\ndonate_url = "javascript:alert(1)"', "donate_url: “javascript:alert(1)” is not a web address"),
        ('[brand]\nsocial = { facebook = "x" }', "[brand]: social.facebook: “x” is not a web address"),
        ('[brand]\nsocial = "x"', "[brand]: social: write a table"),
        ('[brand]\nwebsite = "https://example.org/' + "a" * 2000 + '"', "is longer than 2,000 characters"),
        (SOURCE + 'kind = "calender"', "“calender” is not one of “feed”, “wordpress”, “page”, “calendar”, “events”, “ghost”"),
        (SOURCE + 'every = "soon"', "[[source]] Stories: every: “soon” is not how often"),
        (SOURCE + 'every = "0m"', "every: “0m” is not how often"),
        (SOURCE + 'every = "99d"', "every: “99d” is not how often"),
        (SOURCE + 'region = "Narnia"', "[[source]] Stories: region: “Narnia” is not a region that we know."),
        (SOURCE + 'language = "klingonese"', "[[source]] Stories: language: “klingonese” is not a language code"),
        (SOURCE + 'topics = "all"', 'topics: write a list, such as ["one", "two"].'),
        (SOURCE + "url = 7", "url: write a text, in quotes."),
        (PUBLICATION + 'from_email = "letter@"', "from_email: “letter@”: This email address cannot be mailed"),
        (PUBLICATION + 'stories = "5"', "stories: write a whole number, without quotes."),
        (PUBLICATION + "stories = 21", "stories: 21 is too large; write 20 or less."),
        (PUBLICATION + "events = -1", "events: -1 is too small; write 0 or more."),
        (PUBLICATION + 'approval = "atuo"', "approval: “atuo” is not one of “approve”, “auto”; did you mean “auto”?"),
        (PUBLICATION + 'clicks = "readers"', "weekly: clicks: “readers” is not one of “off”, “counts”"),
        (PUBLICATION + 'subject = "{headline}"', "subject: “{headline}” stands for nothing here; known are {lead"),
        (PUBLICATION + 'intro = "Dear {{ fist_name }}"', "intro: There is no personal field “fist_name”."),
        (PUBLICATION + 'stories = 21\nzzz = 1', "(and 1 more)"),
        ("slug = ", "is not valid TOML"),
        (b"\xff\xfe", "is not UTF-8 text (byte 0)"),
        (b" " * (MAX_ORGANISATION_FILE_BYTES + 1), "is larger than 2 MB"),
    ],
)  # fmt: skip
def test_an_error_names_the_table_and_the_key(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert message in say(tmp_path, text)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"There is no file .* newsletter init"):
        read_organisation(tmp_path / "none.toml")


def test_a_folder_in_place_of_the_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read: Is a directory"):
        read_organisation(tmp_path)


def test_values_are_kept_as_the_rest_of_the_system_writes_them(tmp_path: Path) -> None:
    file = tmp_path / "organisation.toml"
    file.write_text(
        '[brand]\ncolour = "#ABC"\nwebsite = ""\n[[source]]\nname = "S"\nregion = "Texas"\nlanguage = "pt_BR"\n'
        '[[publication]]\nslug = "a"\nreply_to = ""\nfrom_email = "Letter@EXAMPLE.org"\n'
    )
    read = read_organisation(file)
    assert read.brand is not None
    assert (read.brand.colour, read.brand.website) == ("#aabbcc", "")
    assert (read.sources[0].region, read.sources[0].language) == ("US-TX", "pt-BR")
    assert (read.publications[0].from_email, read.publications[0].reply_to) == ("Letter@example.org", "")


@pytest.mark.parametrize(("text", "minutes"), [("30m", 30), ("2h", 120), ("1d", 1440), (" 90 min ", 90)])
def test_how_often_is_read_in_minutes_and_written_back_short(text: str, minutes: int) -> None:
    assert parse_interval_minutes(text) == minutes
    assert parse_interval_minutes(format_interval(minutes)) == minutes


def test_samples_are_written_once_and_never_over_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    written, kept = write_samples(folder)
    assert [file.name for file in written] == ["organisation.toml", ".env"]
    assert kept == []
    assert (folder / ".env").stat().st_mode & 0o077 == 0
    (folder / "organisation.toml").write_text("mine")
    written, kept = write_samples(folder)
    assert written == []
    assert len(kept) == 2
    assert (folder / "organisation.toml").read_text() == "mine"


def test_samples_cannot_be_written_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadFile, match="cannot be written to"):
        write_samples(tmp_path / "file")


def test_a_source_may_have_the_address_of_a_calendar_program(tmp_path: Path) -> None:
    file = tmp_path / "organisation.toml"
    file.write_text(SOURCE + 'url = "webcal://cal.example.org/c.ics"')
    assert read_organisation(file).sources[0].url == "webcal://cal.example.org/c.ics"
    file.write_text(SOURCE + 'url = "webcal://"')
    with pytest.raises(BadFile, match="not a web address"):
        read_organisation(file)
