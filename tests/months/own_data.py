"""People who are erased and people who change their address, by the links that are mailed to them."""

import random
import re
from collections import Counter
from datetime import datetime
from html import unescape
from urllib.parse import urlsplit

from django.apps import apps
from django.db import models
from django.test import Client

from subscribers.models import MailedLink
from tests.months.readers import PREFERENCES, Readers
from tests.support.fake_provider import FakeProvider

_ERASE = re.compile(r"https?://[^\s\"<>]+/erase-me/[^\s\"<>]+")
_NEW_ADDRESS = re.compile(r"https?://[^\s\"<>]+/new-address/[^\s\"<>]+")
_THIS_ADDRESS = re.compile(r"https?://[^\s\"<>]+/this-address/[^\s\"<>]+")
_TEXTS = (models.CharField, models.TextField, models.JSONField)
_CHANCES = {MailedLink.Kind.ERASE: 0.06, MailedLink.Kind.CHANGE_ADDRESS: 0.12}


class OwnData:
    """``erased`` has the moment at which an address was erased, and ``diary`` counts the links that were asked for."""

    def __init__(self, provider: FakeProvider, *, readers: Readers, chance: random.Random) -> None:
        self._provider, self._readers, self._chance = provider, readers, chance
        self._client = Client(SERVER_NAME="127.0.0.1", SERVER_PORT="8000")
        self._waiting: dict[str, tuple[MailedLink.Kind, int]] = {}
        self._new: dict[str, str] = {}
        self._moves = 0
        self.erased: dict[str, datetime] = {}
        self.diary: Counter[str] = Counter()

    def ask(self) -> None:
        """Let somebody ask for a link, on the page behind the newest mail that they have."""
        self._new.clear()  # their links have expired
        for kind, chance in _CHANCES.items():
            people = self._readers.list_subscribed()
            if not people or self._chance.random() > chance:
                continue
            address = self._chance.choice(people)
            mails = self._provider.mailbox(address)
            links = [found[0] for mail in mails if (found := PREFERENCES.search(mail.text))]
            if links and address not in self._waiting:
                self._press(f"{urlsplit(unescape(links[-1])).path}/{kind}")
                self._waiting[address] = kind, len(mails)
                self.diary[f"link to {kind}"] += 1

    def follow_links(self, now: datetime) -> bool:
        """Press the button behind each link that has arrived. Return True if a new address waits for its link."""
        for address, (kind, old_mails) in list(self._waiting.items()):
            link = self._find(_ERASE if kind == MailedLink.Kind.ERASE else _NEW_ADDRESS, address, after=old_mails)
            if link is None:
                continue
            del self._waiting[address]
            if kind == MailedLink.Kind.ERASE:
                self._press(link)
                self._readers.forget(address, now=now)
                self.erased.update(dict.fromkeys(self._readers.list_names(address), now))
            else:
                self._moves += 1
                new = f"moved-{self._moves}-{address}"
                self._press(link, email=new)
                self._new[new] = address
        for new, old in list(self._new.items()):
            link = self._find(_THIS_ADDRESS, new, after=0)
            if link is not None:
                if self._press(link):
                    self._readers.rename(old, new, now=now)
                else:
                    self.diary["move refused"] += 1
                del self._new[new]
        return bool(self._new)

    def lose_links(self) -> None:
        """Forget what was asked for: a restored backup may not have it."""
        self._waiting.clear()
        self._new.clear()

    def _find(self, link: re.Pattern[str], address: str, *, after: int) -> str | None:
        texts = (mail.text for mail in self._provider.mailbox(address)[after:])
        links = [found[0] for text in texts if (found := link.search(text))]
        return urlsplit(unescape(links[-1])).path if links else None

    def _press(self, path: str, **fields: str) -> bool:
        """Return False if the link is used up, or somebody else has the address by now."""
        answer = self._client.post(path, fields)
        if answer.status_code not in (200, 302, 409, 410):
            raise AssertionError(f"{path.split('/')[1]} was answered with {answer.status_code}.")
        return answer.status_code in (200, 302)


def check_erased(own_data: OwnData, readers: Readers) -> None:
    """Assert that no row has the address of somebody who was erased and did not sign up again."""
    gone = [address for address, at in own_data.erased.items() if readers.last_sign_up(address) <= at]
    for model in apps.get_models():
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, _TEXTS)]
        for row in model._base_manager.values("pk", *names):
            kept = [address for address in gone if re.search(rf"(?<![\w-]){re.escape(address)}", str(row))]
            assert not kept, f"{model.__name__} {row['pk']} has {kept}, who were erased"
