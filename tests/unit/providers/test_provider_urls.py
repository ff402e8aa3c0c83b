"""NEWSLETTER_PROVIDER_URL becomes an adapter, or an error that helps and keeps the key to itself."""

from collections import UserDict
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.providers import registry
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.base.provider_url import UrlRules, parse_provider_url
from newsletter.providers.mailgun.adapter import Mailgun
from newsletter.providers.outbox.adapter import Outbox
from newsletter.providers.registry import make_adapter, make_provider_label, read_provider_url


def test_outbox_is_the_adapter_that_writes_to_the_folder_given(tmp_path: Path) -> None:
    adapter = make_adapter("outbox://", outbox_dir=tmp_path)
    assert isinstance(adapter, Outbox)
    assert adapter.capabilities.name == "outbox"


def test_outbox_without_a_folder_says_so() -> None:
    with pytest.raises(BadProviderUrl, match="needs a folder"):
        make_adapter("outbox://")


def test_mailgun_gets_its_key_domain_endpoint_and_rates() -> None:
    url = "mailgun://key-1@News.Example.org?endpoint=https%3A%2F%2Fapi.eu.mailgun.net&people_per_second=50&calls_per_second=2.5&max_batch=1000"
    adapter = make_adapter(url)
    assert isinstance(adapter, Mailgun)
    can = adapter.capabilities
    assert (can.people_per_second, can.calls_per_second, can.max_batch) == (50.0, 2.5, 1000)
    adapter.close()
    settings = read_provider_url(url)
    assert (settings.key, settings.domain, settings.endpoint) == (
        "key-1",
        "news.example.org",
        "https://api.eu.mailgun.net",
    )


def test_a_url_is_read_without_the_rules_of_other_providers() -> None:
    rules = NoOtherProvider(mailgun=registry.URL_RULES["mailgun"])
    settings = parse_provider_url("mailgun://key-1@news.example.org?max_batch=10", rules=rules)
    assert (settings.scheme, settings.max_batch) == ("mailgun", 10)


class NoOtherProvider(UserDict[str, UrlRules]):
    """Rules that refuse to be listed, as a list loads the code of every provider."""

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("All providers were listed.")


def test_a_key_with_odd_characters_can_be_written_percent_encoded() -> None:
    assert read_provider_url("mailgun://a%2Fb%40c@news.example.org").key == "a/b@c"


@pytest.mark.parametrize(
    ("endpoint", "read"),
    [
        ("http://127.0.0.1:8025", "http://127.0.0.1:8025"),
        ("http://127.0.0.1:8025/", "http://127.0.0.1:8025"),
        ("http://[::1]:8025", "http://[::1]:8025"),
        ("https://api.eu.mailgun.net", "https://api.eu.mailgun.net"),
    ],
)
def test_an_endpoint_is_scheme_host_and_port(endpoint: str, read: str) -> None:
    assert read_provider_url(f"mailgun://k@news.example.org?endpoint={endpoint}").endpoint == read


def test_the_label_is_safe_to_show() -> None:
    assert make_provider_label("mailgun://s3cret@news.example.org?webhook_key=s3cret2") == "mailgun (news.example.org)"
    assert make_provider_label("outbox://") == "outbox"


def test_the_settings_do_not_show_their_keys_when_printed() -> None:
    assert "s3cret" not in repr(read_provider_url("mailgun://s3cret@news.example.org?webhook_key=s3cret2"))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "has no scheme"),
        ("s3cret@news.example.org", "has no scheme"),
        ("mailgum://s3cret@news.example.org", r"did you mean mailgun\?"),
        ("pop3://s3cret@mail.example.org", "not known here. Known are outbox://, mailgun://"),
        ("pop3://s3cret@mail.example.org", r"If it comes with an extension, install its package here first\."),
        ("mailgun://news.example.org", "has no key"),
        ("mailgun://@news.example.org", "has no key"),
        ("mailgun://s3cret@", "no sending domain"),
        ("mailgun://s3cret@localhost", "no sending domain"),
        ("mailgun://s3cret@exa mple.org", "no sending domain"),
        ("mailgun://s3 cret@news.example.org", "space or a letter"),
        ("mailgun://s3cr\u00e9t@news.example.org", "space or a letter"),
        ("mailgun://s3cret%0A@news.example.org", "space or a letter"),
        ("mailgun://s3cret@news.example.org?endpiont=https://x.example", r"did you mean endpoint\?"),
        ("mailgun://s3cret@news.example.org?endpoint=api.mailgun.net", "must be https://HOST"),
        ("mailgun://s3cret@news.example.org?endpoint=ftp://x.example", "must be https://HOST"),
        ("mailgun://s3cret@news.example.org?endpoint=https://x.example:port", "not an address"),
        ("mailgun://s3cret@news.example.org?endpoint=https://u:s3cret@x.example", "must be https://HOST"),
        ("mailgun://s3cret@news.example.org?endpoint=https://x.example/v3", "must not have a path"),
        ("mailgun://s3cret@news.example.org?people_per_second=fast", "people_per_second .* must be a number above 0"),
        ("mailgun://s3cret@news.example.org?calls_per_second=0", "calls_per_second .* must be a number above 0"),
        ("mailgun://s3cret@news.example.org?people_per_second=nan", "must be a number above 0"),
        ("mailgun://s3cret@news.example.org?max_batch=1001", "from 1 to 1,000"),
        ("mailgun://s3cret@news.example.org?max_batch=0", "from 1 to 1,000"),
        ("outbox:///srv/s3cret", "takes nothing after it"),
    ],
)
def test_a_url_that_cannot_be_used_says_what_is_wrong_and_never_the_key(url: str, says: str) -> None:
    with pytest.raises(BadProviderUrl, match=says) as caught:
        make_adapter(url, outbox_dir=Path("unused"))
    assert "s3c" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postmark", "sendgrid", "resend"])
def test_providers_without_a_domain_take_a_key_and_an_at(scheme: str) -> None:
    adapter = make_adapter(f"{scheme}://key-1@?people_per_second=20&max_batch=7")
    can = adapter.capabilities
    assert (can.name, can.people_per_second, can.max_batch) == (scheme, 20.0, 7)
    adapter.close()
    assert make_provider_label(f"{scheme}://key-1@") == scheme


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postmark://s3cret", "has no key. Write postmark://KEY@"),
        ("resend://s3cret@example.org", "something after the @ that resend does not use"),
        ("postmark://s3cret@?max_batch=501", "from 1 to 500"),
        ("resend://s3cret@?max_batch=101", "from 1 to 100"),
        ("sendgrid://s3cret@?stream=weekly", "message stream of Postmark"),
        ("postmark://s3cret@?stream=Bad Stream", "message stream of Postmark"),
    ],
)
def test_a_url_of_another_provider_that_cannot_be_used_says_why(url: str, says: str) -> None:
    with pytest.raises(BadProviderUrl, match=says) as caught:
        read_provider_url(url)
    assert "s3cret" not in str(caught.value)
