"""Every feature of HTML and CSS in our mails is known to work in mail programs, or has a fallback."""

import pytest

from tests.gallery.documents import gallery_mails
from tests.gallery.email_support import (
    MIN_SHARE,
    PAGE,
    check_support,
    find_features,
    find_used_features,
    load_declared,
    load_table,
    write_page,
)


def test_every_feature_of_the_mails_works_or_has_a_fallback() -> None:
    assert list(check_support(find_used_features())) == []


def test_the_page_of_mail_programs_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == write_page(), "make email-support writes it again"


def test_no_fallback_is_declared_for_what_no_mail_uses() -> None:
    assert sorted(load_declared().keys() - find_used_features()) == []


@pytest.mark.parametrize(
    ("added", "named"),
    [
        ('<p style="object-fit: cover">x</p>', "css-object-fit is shown by"),
        ('<p style="corner-shape: squircle">x</p>', "property corner-shape is used, but neither"),
        ("<blink>x</blink>", "element blink is used, but neither"),
        ('<p inert="inert">x</p>', "attribute inert is used, but neither"),
        ("<style>@media (max-width: 9px) { p:hover { filter: blur(1px); } }</style>", "css-filter is shown by"),
        ('<img src="https://news.example/a.png" srcset="b.png 2x">', "html-srcset is shown by"),
    ],
)
def test_a_feature_that_few_programs_show_is_reported(added: str, named: str) -> None:
    html = gallery_mails()["letter-bare"][1].html
    assert list(check_support(find_features(html))) == []
    (problem,) = check_support(find_features(html.replace("</body>", f"{added}</body>")))
    assert problem.startswith(named)


def test_features_only_for_classic_outlook_are_not_counted() -> None:
    assert "element v:rect" not in find_features("<html><body><!--[if mso]><v:rect></v:rect><![endif]--></body></html>")


def test_partial_support_counts_and_untested_programs_do_not() -> None:
    support = load_table()["css-at-media-prefers-color-scheme"]
    assert (support.full + len(support.missing) < 48, support.share < MIN_SHARE) == (True, True)
    assert load_table()["css-text-align"].share == 1
