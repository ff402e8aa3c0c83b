"""Signed links: one person, list and purpose, no personal data, valid across key rotation."""

import ast
import inspect
import time
import uuid
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from newsletter.common.errors import BadLink
from subscribers.links import signed_links as links
from subscribers.links.signed_links import LIFETIMES, MAX_MAILING, ExpiredLink, Purpose, Signer, read_link

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
PERSON = uuid.UUID("12345678-1234-4234-8234-123456789abc")
LIST = "00112233aabbccdd"
KEYS = ["newest", "older", "oldest"]


def make_token(purpose: Purpose = Purpose.UNSUBSCRIBE, *, keys: list[str] | None = None, issued: datetime = NOW) -> str:
    signer = Signer(keys or KEYS, site_url="https://news.example.org/", issued=issued)
    return signer.url(purpose, PERSON.bytes, bytes.fromhex(LIST)).rsplit("/", 1)[1]


def test_a_link_names_whom_it_was_made_for() -> None:
    target = read_link(make_token(), purpose=Purpose.UNSUBSCRIBE, now=NOW, keys=KEYS)
    assert (target.subscriber_uuid, target.public_id, target.issued) == (PERSON, LIST, NOW)


def test_links_are_built_on_the_site_url_and_the_path_of_their_purpose() -> None:
    signer = Signer(KEYS, site_url="https://news.example.org/", issued=NOW)
    person, mailing_list = PERSON.bytes, bytes.fromhex(LIST)
    assert signer.url(Purpose.UNSUBSCRIBE, person, mailing_list).startswith("https://news.example.org/u/")
    assert signer.url(Purpose.PREFERENCES, person, mailing_list).startswith("https://news.example.org/p/")


@pytest.mark.requirement("K1")
def test_a_token_decodes_to_identifiers_and_a_signature_and_nothing_else() -> None:
    token = make_token()
    raw = urlsafe_b64decode(token)
    assert len(token) == 64
    assert raw[4:20] == PERSON.bytes
    assert raw[20:28].hex() == LIST
    assert int.from_bytes(raw[28:32], "big") == int(NOW.timestamp())
    assert len(raw[32:]) == 16


@pytest.mark.parametrize(("made_for", "used_for"), list(product(Purpose, Purpose)))
@pytest.mark.requirement("K2")
def test_only_the_purpose_that_a_token_was_made_for_opens(made_for: Purpose, used_for: Purpose) -> None:
    token = make_token(made_for)
    if made_for is used_for:
        assert read_link(token, purpose=used_for, now=NOW, keys=KEYS).subscriber_uuid == PERSON
    else:
        with pytest.raises(BadLink):
            read_link(token, purpose=used_for, now=NOW, keys=KEYS)


@pytest.mark.parametrize("purpose", [Purpose.PREFERENCES, Purpose.CONFIRM])
@pytest.mark.requirement("K3")
def test_links_that_expire_do_so_to_the_second(purpose: Purpose) -> None:
    lifetime = LIFETIMES[purpose]
    assert lifetime is not None
    token = make_token(purpose)
    read_link(token, purpose=purpose, now=NOW + lifetime, keys=KEYS)
    with pytest.raises(ExpiredLink) as expired:
        read_link(token, purpose=purpose, now=NOW + lifetime + timedelta(seconds=1), keys=KEYS)
    assert expired.value.target.subscriber_uuid == PERSON


@pytest.mark.parametrize(
    ("purpose", "lifetime", "file", "words"),
    [
        (Purpose.PREFERENCES, timedelta(days=90), "subscribers/people/link_mail_texts.py", "good for 90 days"),
        (Purpose.CONFIRM, timedelta(days=7), "newsletter/rendering/languages/en.toml", "good for seven days"),
        (Purpose.CONFIRM_ADDRESS, timedelta(days=7), "subscribers/people/link_mail_texts.py", "below within 7 days"),
        (Purpose.CONFIRM_ADDRESS, timedelta(days=7), "subscribers/desk/person_actions.py", "within 7 days"),
        (Purpose.DOWNLOAD, timedelta(hours=1), "subscribers/people/link_mail_texts.py", "works once, for an hour"),
    ],
)
def test_mails_and_the_desk_say_how_long_a_link_is_valid(
    purpose: Purpose, lifetime: timedelta, file: str, words: str
) -> None:
    assert words in (ROOT / file).read_text("utf-8")
    assert LIFETIMES[purpose] == lifetime, f"Write the new period into {file} and its translations, then here."


@pytest.mark.requirement("U6")
def test_an_unsubscribe_link_works_after_years_and_three_new_keys() -> None:
    token = make_token(keys=["first"])
    rotated = ["fourth", "third", "second", "first"]
    later = NOW + timedelta(days=5 * 366)
    assert read_link(token, purpose=Purpose.UNSUBSCRIBE, now=later, keys=rotated).subscriber_uuid == PERSON


@pytest.mark.requirement("K4")
def test_new_links_use_the_newest_key_and_a_retired_key_opens_nothing() -> None:
    token = make_token(keys=["new", "old"])
    read_link(token, purpose=Purpose.UNSUBSCRIBE, now=NOW, keys=["new"])
    with pytest.raises(BadLink):
        read_link(token, purpose=Purpose.UNSUBSCRIBE, now=NOW, keys=["old"])


@pytest.mark.parametrize("place", [0, 5, 20, 30, 40, 50, 62])
@pytest.mark.requirement("K5")
def test_a_token_with_any_part_changed_is_refused(place: int) -> None:
    token = make_token()
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    with pytest.raises(BadLink):
        read_link(changed, purpose=Purpose.UNSUBSCRIBE, now=NOW, keys=KEYS)


@pytest.mark.parametrize("token", ["", "x", "é" * 64, "?" * 64, "A" * 63, "A" * 65, "=" * 64, "A" * 64])
@pytest.mark.requirement("K5")
def test_nonsense_and_forgery_get_the_same_words(token: str) -> None:
    with pytest.raises(BadLink) as nonsense:
        read_link(token, purpose=Purpose.UNSUBSCRIBE, now=NOW, keys=KEYS)
    with pytest.raises(BadLink) as forged:
        read_link(make_token(keys=["theirs"]), purpose=Purpose.UNSUBSCRIBE, now=NOW, keys=KEYS)
    assert str(nonsense.value) == str(forged.value)


def test_a_link_of_a_mailing_names_it_and_is_four_characters_longer() -> None:
    signer = Signer(KEYS, site_url="https://news.example.org", issued=NOW, mailing=MAX_MAILING)
    token = signer.url(Purpose.UNSUBSCRIBE, PERSON.bytes, bytes.fromhex(LIST)).rsplit("/", 1)[1]
    target = read_link(token, purpose=Purpose.UNSUBSCRIBE, now=NOW, keys=KEYS)
    assert (target.subscriber_uuid, target.public_id, target.issued) == (PERSON, LIST, NOW)
    assert target.mailing == MAX_MAILING
    assert len(token) == 68


def test_a_mailing_too_large_for_a_link_is_left_out_of_it() -> None:
    signer = Signer(KEYS, site_url="https://news.example.org", issued=NOW, mailing=MAX_MAILING + 1)
    token = signer.url(Purpose.UNSUBSCRIBE, PERSON.bytes, bytes.fromhex(LIST)).rsplit("/", 1)[1]
    assert read_link(token, purpose=Purpose.UNSUBSCRIBE, now=NOW, keys=KEYS).mailing == 0


@pytest.mark.parametrize("place", [0, 5, 20, 30, 40, 44, 50, 66])
def test_the_mailing_of_a_link_cannot_be_changed(place: int) -> None:
    signer = Signer(KEYS, site_url="https://news.example.org", issued=NOW, mailing=7)
    token = signer.url(Purpose.UNSUBSCRIBE, PERSON.bytes, bytes.fromhex(LIST)).rsplit("/", 1)[1]
    for changed in (token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :], token[:64]):
        with pytest.raises(BadLink):
            read_link(changed, purpose=Purpose.UNSUBSCRIBE, now=NOW, keys=KEYS)


@pytest.mark.parametrize(
    ("purpose", "token"),
    [
        (Purpose.UNSUBSCRIBE, "AQGm2BI0VngSNEI0gjQSNFZ4mrwAESIzqrvM3WmpRhC7eqUxrPAlEfhgTzFRFayu"),
        (Purpose.PREFERENCES, "AQKREBI0VngSNEI0gjQSNFZ4mrwAESIzqrvM3WmpRhApOS0XAg1lDRBHdcn89kTl"),
        (Purpose.UNSUBSCRIBE, "AQEN7hI0VngSNEI0gjQSNFZ4mrwAESIzqrvM3WmpRhDcjpDnlU_yG7kqB0x4zsHy"),
        (Purpose.PREFERENCES, "AQLP2xI0VngSNEI0gjQSNFZ4mrwAESIzqrvM3WmpRhB-IKyxiVx4e-TWgpYEkJsE"),
    ],
)
def test_links_from_before_they_named_mailings_open(purpose: Purpose, token: str) -> None:
    """The last two were signed with a key that has been rotated since."""
    assert read_link(token, purpose=purpose, now=NOW, keys=KEYS).mailing == 0


@pytest.mark.requirement("K5")
def test_signatures_are_compared_in_constant_time_only() -> None:
    tree = ast.parse(inspect.getsource(links._verify))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    assert "compare_digest" in inspect.getsource(links._verify)


def test_the_links_of_one_send_are_reproducible_and_cheap() -> None:
    signer = Signer(KEYS, site_url="https://news.example.org", issued=NOW)
    person, mailing_list = PERSON.bytes, bytes.fromhex(LIST)
    assert signer.url(Purpose.UNSUBSCRIBE, person, mailing_list) == signer.url(
        Purpose.UNSUBSCRIBE, person, mailing_list
    )
    best = min(_seconds_for_2000(signer, person, mailing_list) for _ in range(5))
    assert best / 2_000 < 10e-6


def _seconds_for_2000(signer: Signer, person: bytes, mailing_list: bytes) -> float:
    started = time.process_time()
    for _ in range(2_000):
        signer.url(Purpose.UNSUBSCRIBE, person, mailing_list)
    return time.process_time() - started
