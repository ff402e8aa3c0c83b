"""Links that are counted: which are led over us, that they lead nowhere else, and that a page on the web has plain ones."""

import pytest
from django.test import override_settings

from newsletter.common.errors import BadLink
from newsletter.issues.variants.mail_links import (
    make_click_url,
    make_link_key,
    track_links,
    untrack_links,
    verify_click,
)
from newsletter.rendering.mail import RenderedMail, hash_mail

SITE = "http://127.0.0.1:8000"
ISSUE = "0123456789abcdef0123456789abcdef"
HTML = (
    '<a class="x" href="https://example.org/a?b=1&amp;c=%20">One</a> <a href="mailto:a@example.org">Two</a> '
    f'<a href="__pv_u_unsubscribe__">Leave</a> <a href="{SITE}/view/abc">Online</a> <img src="https://example.org/p.jpg">'
)


def mail(html: str = HTML) -> RenderedMail:
    sha256 = hash_mail(subject="S", html=html, text="https://example.org/a", variables=())
    return RenderedMail("S", "", html, "https://example.org/a", (), sha256)


@pytest.mark.requirement("P11")
def test_without_counting_no_byte_changes() -> None:
    """off by default, and then no code path rewrites a link."""
    assert track_links(mail(), issue=ISSUE, clicks="off") == mail()


def test_only_links_to_elsewhere_are_led_over_us_and_each_names_its_target() -> None:
    """Unsubscribe and personal links are never rewritten; neither are pictures and the plain text."""
    counted = track_links(mail(), issue=ISSUE, clicks="counts")
    url = make_click_url(issue=ISSUE, url="https://example.org/a?b=1&c=%20")
    assert counted.html.count("/r/") == 1
    assert f'class="x" href="{url}"' in counted.html
    assert counted.html.replace(url, "https://example.org/a?b=1&amp;c=%20") == HTML
    assert (counted.text, counted.variables) == (mail().text, ())
    assert counted.sha256 != mail().sha256
    assert untrack_links(counted.html) == HTML


@pytest.mark.requirement("P11")
def test_a_counted_link_is_the_same_for_every_reader() -> None:
    """anonymous counts hold no personal part."""
    counted = track_links(mail(), issue=ISSUE, clicks="counts")
    assert "who=" not in counted.html
    assert counted.variables == ()
    personal_only = mail('<a href="__pv_u_unsubscribe__">Leave</a>')
    assert track_links(personal_only, issue=ISSUE, clicks="counts") == personal_only


def test_a_link_leads_only_to_its_signed_target() -> None:
    """No open redirect: target and issue are under the signature."""
    url = make_click_url(issue=ISSUE, url="https://example.org/a")
    mac = url.split("/r/")[1].split("/")[1].split("?")[0]
    verify_click(issue=ISSUE, mac=mac, url="https://example.org/a")
    for issue, signature, target in (
        (ISSUE, mac, "https://evil.example/"),
        (ISSUE[::-1], mac, "https://example.org/a"),
        (ISSUE, mac[:-1], "https://example.org/a"),
        (ISSUE, "ü" * 32, "https://example.org/a"),
        (ISSUE, "", ""),
    ):
        with pytest.raises(BadLink, match="not one of ours"):
            verify_click(issue=issue, mac=signature, url=target)


@pytest.mark.requirement("K4")
def test_links_still_work_after_a_change_of_the_key() -> None:
    with override_settings(SUBSCRIBERS_LINK_KEYS=["a new key", "a secret of the tests, long enough to sign with"]):
        mac = make_click_url(issue=ISSUE, url="https://example.org/a").split(f"{ISSUE}/")[1].split("?")[0]
        verify_click(issue=ISSUE, mac=mac, url="https://example.org/a")
    with override_settings(SUBSCRIBERS_LINK_KEYS=["a newer key", "a new key"]):
        verify_click(issue=ISSUE, mac=mac, url="https://example.org/a")


def test_a_links_name_is_short_and_its_own() -> None:
    assert make_link_key("https://example.org/a") != make_link_key("https://example.org/b")
    assert len(make_link_key("https://example.org/a")) == 16
