"""The people of a run. They sign up, confirm, unsubscribe by one click, choose the monthly digest, and join again."""

import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urlsplit

from django.test import Client

from subscribers.models import MailingList
from tests.support.fake_provider import FakeProvider
from tests.support.signup import join

REJOIN_CHANCE = 0.15
CITIES = ("London", "Leeds", "New York", "Sydney", "")
_CONFIRM = re.compile(r"https?://[^\s\"<>]+/c/[^\s\"<>]+")
PREFERENCES = re.compile(r"https?://[^\s\"<>]+/p/[^\s\"<>]+")
_ONE_CLICK = re.compile(r"<(https?://[^>]+)>")


class Readers:
    """``joined`` and ``gone`` have the last moment at which an address was on a list and off it, by (address, list).

    ``renamed`` has the address before the last change, and the moment of it, by the new address.
    """

    def __init__(self, provider: FakeProvider, *, chance: random.Random) -> None:
        self._provider, self._chance = provider, chance
        self._client = Client(SERVER_NAME="127.0.0.1", SERVER_PORT="8000")
        self._number = 0
        self._unconfirmed: dict[str, tuple[str, int]] = {}
        self._signed_up: dict[str, datetime] = {}
        self.joined: dict[tuple[str, str], datetime] = {}
        self.gone: dict[tuple[str, str], datetime] = {}
        self.renamed: dict[str, tuple[str, datetime]] = {}

    def sign_up(self, slug: str, *, now: datetime) -> None:
        """Fill in the form of a list: a new person, or one who left it."""
        self._number += 1
        address = f"reader-{self._number}@example.org"
        left = sorted(
            address for (address, of), at in self.gone.items() if of == slug and at > self.joined[address, of]
        )
        if left and self._chance.random() < REJOIN_CHANCE:
            address = self._chance.choice(left)
        city = self._chance.choice(CITIES)
        answer = join(
            self._client,
            MailingList.objects.get(slug=slug),
            email=address,
            name=f"Reader {self._number}",
            city=city,
            client_address=f"192.0.2.{self._number % 250}",
        )
        if answer.status_code not in (200, 302):
            raise AssertionError(f"Signing up was answered with {answer.status_code}: {answer.content.decode()[:500]}")
        self._signed_up[address] = now
        self._unconfirmed[address] = slug, len(self._provider.mailbox(address))

    def list_subscribed(self) -> list[str]:
        """Return the addresses that are on a list."""
        return sorted({address for address, slug in self.joined if self._is_on(address, slug)})

    def _is_on(self, address: str, slug: str) -> bool:
        at = self.joined[address, slug]
        return self.gone.get((address, slug), at) <= at

    def last_sign_up(self, address: str) -> datetime:
        return self._signed_up.get(address, datetime.min.replace(tzinfo=UTC))

    def forget(self, address: str, *, now: datetime) -> None:
        """Take an erased person off every list."""
        self._unconfirmed.pop(address, None)
        self.gone.update({key: now for key in self.joined if key[0] == address})

    def rename(self, old: str, new: str, *, now: datetime) -> None:
        """Let a person have another address from now on. Their lists are kept."""
        for slug in [slug for address, slug in self.joined if address == old and self._is_on(address, slug)]:
            self.joined[new, slug] = now
            self.gone[old, slug] = now
        self.renamed[new] = old, now

    def list_names(self, address: str) -> list[str]:
        """Return the address with those that the person had before."""
        names = [address]
        while names[-1] in self.renamed:
            names.append(self.renamed[names[-1]][0])
        return names

    def add_imported(self, addresses: Iterable[str], slug: str, *, now: datetime) -> None:
        self.joined.update({(address, slug): now for address in addresses})
        self._signed_up.update(dict.fromkeys(addresses, now))

    def forget_since(self, made_at: datetime) -> None:
        """Forget the sign-ups that a backup of that moment does not have."""
        for new, (old, at) in list(self.renamed.items()):
            if at >= made_at:
                self._undo_rename(old, new, at=at)
        lost = {address for (address, _slug), at in self.joined.items() if at >= made_at}
        lost |= {address for address, signed_up in self._signed_up.items() if signed_up >= made_at}
        self.joined = {key: at for key, at in self.joined.items() if key[0] not in lost}
        self.gone = {key: at for key, at in self.gone.items() if key[0] not in lost}
        self._unconfirmed = {address: form for address, form in self._unconfirmed.items() if address not in lost}

    def _undo_rename(self, old: str, new: str, *, at: datetime) -> None:
        """Give the person the old address back. A list that they left at the new one stays left."""
        del self.renamed[new]
        for slug in [slug for (address, slug), gone in self.gone.items() if address == old and gone == at]:
            del self.gone[old, slug]
            if left := self.gone.get((new, slug)):
                self.gone[old, slug] = left

    def confirm(self, *, now: datetime) -> None:
        """Press the button behind each confirmation link that has arrived."""
        for address, (slug, old_mails) in list(self._unconfirmed.items()):
            links = [_CONFIRM.search(mail.text) for mail in self._provider.mailbox(address)[old_mails:]]
            if not links or links[-1] is None:
                continue
            answer = self._client.post(urlsplit(unescape(links[-1][0])).path)
            if answer.status_code != 200:
                raise AssertionError(f"Confirming was answered with {answer.status_code}.")
            del self._unconfirmed[address]
            self.joined[address, slug] = now

    def ask_for_less(self) -> None:
        """Let somebody choose one mail a month, on the page behind the newest mail that they have."""
        mails = self._provider.mailbox(self._chance.choice(list(self.joined))[0]) if self.joined else []
        for mail in reversed(mails):
            if link := PREFERENCES.search(mail.text):
                path = urlsplit(unescape(link[0])).path
                answer = self._client.post(f"{path}/less")
                if answer.status_code not in (200, 302):
                    raise AssertionError(f"Asking for less was answered with {answer.status_code}.")
                return

    def leave(self, *, now: datetime) -> None:
        """Let somebody unsubscribe by the one-click header of the newest mail that they have of a list."""
        on = [key for key in self.joined if self._is_on(*key)]
        if not on:
            return
        address, slug = self._chance.choice(on)
        for mail in reversed(self._provider.mailbox(address)):
            link = _ONE_CLICK.search(mail.headers.get("List-Unsubscribe", ""))
            if link is None:
                continue
            path = urlsplit(link[1]).path
            answer = self._client.post(path, {"List-Unsubscribe": "One-Click"})
            if answer.status_code != 200:
                raise AssertionError(f"One click was answered with {answer.status_code}.")
            self.gone[address, slug] = now
            return
