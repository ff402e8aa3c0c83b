"""The URL of a mail server: its host, its encryption, who signs in, and what is wrong with it."""

import pytest

from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.registry import make_adapter, make_provider_label, read_provider_url
from newsletter.providers.smtp.account import MailServer, Security, read_server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (
            "smtp://us@example.org:p%40:w@mail.example.org",
            MailServer("mail.example.org", 587, Security.STARTTLS, "us@example.org", "p@:w"),
        ),
        ("smtp://u:p w@Mail.Example.org:2525", MailServer("mail.example.org", 2525, Security.STARTTLS, "u", "p w")),
        ("smtps://u:p@mail.example.org/", MailServer("mail.example.org", 465, Security.TLS, "u", "p")),
        ("smtp://relay", MailServer("relay", 587, Security.STARTTLS)),
        ("smtp://localhost:25", MailServer("localhost", 25, Security.NONE)),
        ("smtp://127.0.0.2", MailServer("127.0.0.2", 587, Security.NONE)),
        ("smtp://[::1]:2525", MailServer("::1", 2525, Security.NONE)),
        ("smtp://[2001:db8::1]", MailServer("2001:db8::1", 587, Security.STARTTLS)),
        ("smtps://127.0.0.1:465", MailServer("127.0.0.1", 465, Security.TLS)),
    ],
)
def test_a_mail_server_is_read(url: str, server: MailServer) -> None:
    assert read_server(read_provider_url(url)) == server


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("smtp://", "names no mail server"),
        ("smtp://u:s3cret@", "names no mail server"),
        ("smtp://u:s3cret@mail.example.org:", "names no mail server"),
        ("smtp://u:s3cret@mail.example.org:0", "names no mail server"),
        ("smtp://u:s3cret@mail.example.org:70000", "names no mail server"),
        ("smtp://u:s3cret@mail.example.org:25/x", "names no mail server"),
        ("smtp://u:s3cret@mail example.org", "names no mail server"),
        ("smtp://u:s3cret@[mail.example.org]", "names no mail server"),
        ("smtp://u:s3cret@::1", "names no mail server"),
        ("smtp://u@mail.example.org", "a user without a password"),
        ("smtp://:s3cret@mail.example.org", "a password without a user"),
        ("smtp://\u00fc:s3cret@mail.example.org", "space or a letter"),
        ("smtp://u:s3cr\u00e9t@mail.example.org", "not ASCII"),
        ("smtp://u:s3cret%0Ax@mail.example.org", "not ASCII"),
        ("smtp://mail.example.org?endpoint=https://x.example", "endpoint .* does nothing with smtp://"),
        ("smtps://mail.example.org?webhook_key=s3cret", "webhook_key .* does nothing with smtps://"),
        ("smtp://mail.example.org?return_path=nobody", "return_path .* must be the address that bounces"),
        ("smtp://mail.example.org?return_path=a@b.org%0D%0ADATA", "return_path"),
        ("postmark://s3cret@?return_path=a@b.org", "return_path"),
        ("smtp://mail.example.org?max_batch=101", "from 1 to 100"),
    ],
)
def test_a_mail_server_that_cannot_be_used_says_why_and_never_the_password(url: str, says: str) -> None:
    with pytest.raises(BadProviderUrl, match=says) as caught:
        make_adapter(url)
    assert "s3c" not in str(caught.value)


def test_the_label_names_the_server_and_no_account() -> None:
    url = "smtp://us:s3cret@mail.example.org:25?return_path=bounces@example.org"
    assert make_provider_label(url) == "smtp (mail.example.org:25)"
    assert "s3cret" not in repr(read_provider_url(url)) + repr(read_server(read_provider_url(url)))


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_the_rates_of_the_account_hold(scheme: str) -> None:
    adapter = make_adapter(f"{scheme}://mail.example.org?people_per_second=5&max_batch=20")
    assert (adapter.capabilities.name, adapter.capabilities.people_per_second) == (scheme, 5.0)
    assert (adapter.capabilities.max_batch, adapter.capabilities.reconcile) == (20, "none")
    adapter.close()
