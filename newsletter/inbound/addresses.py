"""Read the addresses of an inbound mail: who unsubscribes, which issue a reply is to, and if it is our own mail."""

import re
from collections.abc import Iterable
from functools import cached_property
from itertools import islice

from django.conf import settings

from newsletter.content.parsing.mails.mail_headers import MAX_RECIPIENTS
from newsletter.models import Issue
from subscribers.links.signed_links import LinkTarget, link_keys
from subscribers.links.unsubscribe_addresses import TOKEN_LENGTH, read_token
from subscribers.models import MailingList

MAX_UNSUBSCRIBES = 5
"""The signed addresses of one mail that are used. Programs write one mail for each."""
_TOKEN_IN_TEXT = re.compile(rf"\+([A-Za-z2-7]{{{TOKEN_LENGTH}}})@")
_ISSUE = re.compile(r"i([0-9a-f]{24})")


class SignedAddresses:
    """Find whom signed addresses unsubscribe, for many mails: lists and keys are read once, when the first may be one.

    Make a new one for each round, so that new lists and keys count.
    """

    def find(self, recipients: Iterable[str]) -> list[LinkTarget]:
        """Return whom these addresses unsubscribe."""
        return self._read(_list_tags(recipients), max_tokens=MAX_RECIPIENTS)

    def find_in_fields(self, fields: str) -> list[LinkTarget]:
        """Return whom a mail probably unsubscribes, by few tokens in the text of its fields: a fast look at many mails."""
        return self._read(_TOKEN_IN_TEXT.findall(fields), max_tokens=MAX_UNSUBSCRIBES)

    def _read(self, tags: Iterable[str], *, max_tokens: int) -> list[LinkTarget]:
        tokens = list(dict.fromkeys(tag.lower() for tag in tags if len(tag) == TOKEN_LENGTH))[:max_tokens]
        targets = (read_token(token, keys=self._keys, lists=self._lists) for token in tokens)
        return list(islice((target for target in targets if target is not None), MAX_UNSUBSCRIBES))

    @cached_property
    def _lists(self) -> list[str]:
        return list(MailingList.objects.values_list("public_id", flat=True))

    @cached_property
    def _keys(self) -> list[str]:
        return link_keys()


def find_unsubscribes(recipients: Iterable[str]) -> list[LinkTarget]:
    """Return whom the signed addresses among these unsubscribe. Without a valid signature, an address unsubscribes nobody."""
    return SignedAddresses().find(recipients)


def find_issue(recipients: Iterable[str]) -> Issue | None:
    """Return the issue that a reply is to, by the address that its mail names for replies."""
    ids = [match[1] for tag in _list_tags(recipients) if (match := _ISSUE.fullmatch(tag))]
    return Issue.objects.filter(public_id__in=ids[:1]).select_related("publication").first() if ids else None


def is_own_address(address: str) -> bool:
    """Return True for the inbound address, with or without a tag: a mail from it is one of ours that was returned."""
    inbound_address = settings.NEWSLETTER_INBOUND_ADDRESS
    local, _, domain = address.lower().rpartition("@")
    return bool(inbound_address) and f"{local.partition('+')[0]}@{domain}" == inbound_address


def _list_tags(recipients: Iterable[str]) -> list[str]:
    """Return what follows the + in these addresses. The domain may be another, because providers forward."""
    locals_ = (address.lower().rpartition("@")[0] for address in recipients)
    return [tag for local in locals_ if (tag := local.partition("+")[2])]
