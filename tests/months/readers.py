"""The people of a run. They sign up, confirm, unsubscribe by one click, choose the monthly digest, and join again."""

import random
import re
from datetime import datetime
from html import unescape
from urllib.parse import urlsplit

from django.test import Client

from subscribers.models import MailingList
from tests.support.fake_provider import FakeProvider
from tests.support.signup import join

REJOIN_CHANCE = 0.15
CITIES = ("London", "Leeds", "New York", "Sydney", "")
_CONFIRM = re.compile(r"https?://[^\s\"<>]+/c/[^\s\"<>]+")
_PREFERENCES = re.compile(r"https?://[^\s\"<>]+/p/[^\s\"<>]+")
_ONE_CLICK = re.compile(r"<(https?://[^>]+)>")


class Readers:
    """``joined`` and ``gone`` have the last moment at which an address was on a list and off it, by (address, list)."""

    def __init__(self, provider: FakeProvider, *, chance: random.Random) -> None:
        self._provider, self._chance = provider, chance
        self._client = Client(SERVER_NAME="127.0.0.1", SERVER_PORT="8000")
        self._number = 0
        self._unconfirmed: dict[str, tuple[str, int]] = {}
        self._signed_up: dict[str, datetime] = {}
        self.joined: dict[tuple[str, str], datetime] = {}
        self.gone: dict[tuple[str, str], datetime] = {}

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

    def forget_since(self, made_at: datetime) -> None:
        """Forget the sign-ups that a backup of that moment does not have."""
        lost = {address for (address, _slug), at in self.joined.items() if at >= made_at}
        lost |= {address for address, signed_up in self._signed_up.items() if signed_up >= made_at}
        self.joined = {key: at for key, at in self.joined.items() if key[0] not in lost}
        self.gone = {key: at for key, at in self.gone.items() if key[0] not in lost}
        self._unconfirmed = {address: form for address, form in self._unconfirmed.items() if address not in lost}

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
            if link := _PREFERENCES.search(mail.text):
                path = urlsplit(unescape(link[0])).path
                answer = self._client.post(f"{path}/less")
                if answer.status_code not in (200, 302):
                    raise AssertionError(f"Asking for less was answered with {answer.status_code}.")
                return

    def leave(self, *, now: datetime) -> None:
        """Let somebody unsubscribe by the one-click header of the newest mail that they have of a list."""
        on = [key for key, at in self.joined.items() if self.gone.get(key, at) <= at]
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
