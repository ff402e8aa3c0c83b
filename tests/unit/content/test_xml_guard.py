"""XML that defines entities is refused in every encoding."""

import pytest

from newsletter.content.parsing.feeds.feed import parse_feed
from newsletter.content.parsing.markup_safety import has_internal_subset

BOMB = (
    '<?xml version="1.0"{declared}?>\n<!-- a feed -->\n<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    "<rss version='2.0'><channel><title>&b;</title><item><title>&b;</title><link>https://example.org/a</link></item>"
    "</channel></rss>"
)
PLAIN = BOMB.replace('<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>', "<!DOCTYPE rss>").replace("&b;", "ha")


def declare(document: str, name: str) -> str:
    return document.format(declared=f' encoding="{name}"' if name else "")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "cp037", "utf-7"]
)
@pytest.mark.parametrize("named", [True, False])
def test_an_entity_bomb_is_refused_in_every_encoding(encoding: str, named: bool) -> None:
    body = declare(BOMB, encoding if named else "").encode(encoding)
    assert has_internal_subset(body)
    assert (
        "definitions of its own"
        in parse_feed(body, content_type="application/rss+xml", url="https://example.org/f").error
    )


@pytest.mark.parametrize("encoding", ["utf-7", "utf-16-be", "cp500"])
def test_the_charset_of_the_answer_is_checked_too(encoding: str) -> None:
    body = declare(BOMB, "").encode(encoding)
    assert has_internal_subset(body, content_type=f'application/xml; charset="{encoding}"')


def test_an_encoding_that_turns_harmless_bytes_into_markup_is_refused() -> None:
    body = rb'<?xml version="1.0" encoding="unicode_escape"?>\x3c!DOCTYPE rss [\x3c!ENTITY a "ha">]><rss/>'
    assert has_internal_subset(body)


def test_a_declaration_and_a_bom_that_differ_hide_nothing() -> None:
    body = b"\xef\xbb\xbf" + declare(BOMB, "utf-16").encode()
    assert has_internal_subset(body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32", "cp037", "iso-8859-1", "no-such-thing"])
def test_a_document_without_definitions_is_not_refused(encoding: str) -> None:
    known = "utf-8" if encoding == "no-such-thing" else encoding
    assert not has_internal_subset(declare(PLAIN, encoding).encode(known), content_type=f"text/xml; charset={encoding}")


def test_an_entry_that_mentions_doctypes_is_not_refused() -> None:
    body = (
        b"<rss><channel><item><title>&lt;!DOCTYPE a [&lt;!ENTITY b</title><!-- <!DOCTYPE c [ --></item></channel></rss>"
    )
    assert not has_internal_subset(body)
