"""Spellings of one mailbox count as one. Short-lived addresses are marked, privacy relays are not."""

import pytest

from subscribers.addresses.domains import find_domain, is_disposable, is_major, make_mailbox_key

pytestmark = [pytest.mark.requirement("A2")]


@pytest.mark.parametrize(
    "spelling",
    ["Jo.Doe+news@gmail.com", "j.o.d.o.e@googlemail.com", "JODOE+1+2@GMAIL.com"],
)
def test_tags_dots_and_case_do_not_make_another_mailbox(spelling: str) -> None:
    assert make_mailbox_key(spelling) == "jodoe@gmail.com"


def test_dots_count_if_the_provider_counts_them() -> None:
    assert make_mailbox_key("jo.doe@example.org") != make_mailbox_key("jodoe@example.org")
    assert make_mailbox_key("+tag@example.org") == "+tag@example.org"
    assert make_mailbox_key("jo@bücher.example.org") == make_mailbox_key("JO+x@xn--bcher-kva.example.org")


@pytest.mark.parametrize("domain", ["mailinator.com", "sub.mailinator.com"])
def test_lent_addresses_are_known(domain: str) -> None:
    assert is_disposable(domain)


@pytest.mark.parametrize("domain", ["duck.com", "mozmail.com", "privaterelay.appleid.com", "simplelogin.com", "com"])
@pytest.mark.requirement("A5")
def test_privacy_relays_are_not_lent_addresses(domain: str) -> None:
    assert not is_disposable(domain)


def test_large_providers_are_not_counted_by_domain() -> None:
    assert is_major(find_domain("Jo@GMAIL.com"))
    assert not is_major(find_domain("jo@example.org"))
