"""Which addresses are accepted, and when two spellings are one mailbox."""

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.common.errors import BadAddress
from subscribers.addresses import normalise as addresses
from subscribers.addresses.normalise import canonical, hash_address, mask, normalise, to_ascii

CORPUS = Path(os.environ.get("NEWSLETTER_CORPUS", Path(__file__).resolve().parents[4] / "shared" / "data"))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lee@EXAMPLE.org\n", "Ada.Lee@example.org"),
        ("\u00a0ada@example.org\u200b", "ada@example.org"),
        ("ada@bücher.example.org", "ada@bücher.example.org"),
        ("ada@XN--BCHER-KVA.example.org", "ada@bücher.example.org"),
        ("jose\u0301@example.org", "jos\u00e9@example.org"),
        ("ada+news@example.org", "ada+news@example.org"),
        ("o'neil@example.org", "o'neil@example.org"),
    ],
)
@pytest.mark.requirement("A7")
def test_addresses_are_trimmed_and_composed_and_keep_the_owners_spelling(typed: str, kept: str) -> None:
    assert normalise(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "\u200b \u00a0",
        "ada",
        "ada@",
        "@example.org",
        "ada@localhost",
        "ada@example",
        "ada@[127.0.0.1]",
        '"ada lee"@example.org',
        "ada(work)@example.org",
        "Ada <ada@example.org>",
        "ada@example.org, bea@example.org",
        "ada..lee@example.org",
        "ada@example..org",
        "ada@-example.org",
        "ada@example.org\r\nBcc: bea@example.org",
        "ada\x00@example.org",
        "a" * 65 + "@example.org",
        "ada@" + "x" * 64 + ".org",
        "ada@" + ("x" * 60 + ".") * 5 + "org",
        "ada@host.invalid",
    ],
)
@pytest.mark.requirement("A7")
def test_an_address_that_cannot_be_mailed_is_refused_with_a_reason(typed: str) -> None:
    with pytest.raises(BadAddress) as refusal:
        normalise(typed)
    assert len(str(refusal.value)) > 30


def _isemail_cases() -> list[tuple[str, str]]:
    file = CORPUS / "email-addresses" / "isemail" / "tests.xml"
    if not file.exists():
        return []
    cases = []
    for test in ET.parse(file).getroot().iter("test"):
        address = test.findtext("address") or ""
        restored = "".join(chr(ord(char) - 0x2400) if 0x2400 <= ord(char) <= 0x2421 else char for char in address)
        cases.append((restored, test.findtext("category") or ""))
    return cases


@pytest.mark.requirement("A7")
def test_the_isemail_corpus_is_judged_by_the_policy() -> None:
    cases = _isemail_cases()
    if not cases:
        pytest.skip("the corpus of addresses is not on this machine")
    accepted, refused = set(), set()
    for address, category in cases:
        try:
            normalise(address)
        except BadAddress:
            refused.add((address, category))
        else:
            accepted.add((address, category))
    assert not {case for case in accepted if case[1] == "ISEMAIL_ERR" and case[0].strip() == case[0]}
    valid = {case for case in accepted | refused if case[1] == "ISEMAIL_VALID_CATEGORY"}
    assert {address for address, _ in valid & refused} == {"test@io"}


_LABEL = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,8}", fullmatch=True)


@given(
    st.lists(_LABEL, min_size=1, max_size=3), st.lists(_LABEL, min_size=1, max_size=3), _LABEL, st.sampled_from("._+-")
)
def test_the_short_cut_for_plain_addresses_answers_as_the_library_does(
    local: list[str], domain: list[str], ending: str, joint: str
) -> None:
    typed = f"{joint.join(local)}@{'.'.join([*domain, ending])}"
    quick = _outcome(typed)
    plain, addresses._PLAIN = addresses._PLAIN, addresses.re.compile(r"(?!)()()")
    try:
        slow = _outcome(typed)
    finally:
        addresses._PLAIN = plain
    assert quick == slow


def _outcome(typed: str) -> str | None:
    try:
        return normalise(typed)
    except BadAddress:
        return None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@example.org", "ada@EXAMPLE.org"),
        ("ada@bücher.example.org", "ada@xn--bcher-kva.example.org"),
    ],
)
def test_two_spellings_of_one_mailbox_have_one_hash(one: str, other: str) -> None:
    assert hash_address(normalise(one), key=b"k") == hash_address(normalise(other), key=b"k")


@pytest.mark.requirement("P6")
def test_the_hash_is_keyed_and_32_bytes() -> None:
    first, second = (hash_address("ada@example.org", key=key) for key in (b"one", b"two"))
    assert len(first) == 32
    assert first != second


def test_different_mailboxes_have_different_hashes() -> None:
    assert canonical("ada+news@example.org") != canonical("ada@example.org")


def test_the_wire_form_is_ascii_in_the_domain() -> None:
    assert to_ascii("Ada@bücher.example.org") == "Ada@xn--bcher-kva.example.org"


def test_the_wire_form_of_an_invalid_address_is_refused() -> None:
    with pytest.raises(BadAddress):
        to_ascii("é@@bücher")


@pytest.mark.requirement("V9")
def test_a_masked_address_shows_first_letters_and_ending_only() -> None:
    assert mask("jo.smith@example.org") == "j•••@e•••.org"
