"""What the provider reports by webhook: deliveries, mailboxes that no longer exist, and complaints."""

import random
import uuid
from datetime import UTC, datetime

from django.test import Client

from newsletter.feedback.endpoint import webhook_secret
from tests.support.fake_provider import Entry, FakeProvider
from tests.support.provider_webhooks import SIGNING_KEY, mailgun_event, sign_mailgun

CLOSED_CHANCE, COMPLAINT_CHANCE = 0.01, 0.004


class Reports:
    """``stopped`` has the moment at which a hard bounce or a complaint of an address was reported."""

    def __init__(self, provider: FakeProvider, *, chance: random.Random) -> None:
        self._provider, self._chance = provider, chance
        self._client = Client(SERVER_NAME="127.0.0.1", SERVER_PORT="8000")
        self._reported = 0
        self._closed: set[str] = set()
        self.stopped: dict[str, datetime] = {}

    def post(self, now: datetime) -> None:
        """Report each mail that was accepted since the last time, once."""
        accepted = self._provider.accepted()
        for entry in accepted[self._reported :]:
            for address in entry.recipients:
                if address not in entry.refused and entry.form is not None:
                    self._report(entry, address=address, now=now)
        self._reported = len(accepted)

    def forget_since(self, made_at: datetime) -> None:
        """Forget the bounces that a backup of that moment does not have. The journal has the complaints."""
        for address in [address for address in self._closed if self.stopped.get(address, made_at) > made_at]:
            del self.stopped[address]

    def _report(self, entry: Entry, *, address: str, now: datetime) -> None:
        chance = self._chance.random()
        if address in self._closed or chance < CLOSED_CHANCE:
            self._closed.add(address)
            self._post("failed", entry, address=address, now=now, severity="permanent", reason="bounce")
            self.stopped.setdefault(address, now)
            return
        self._post("delivered", entry, address=address, now=now)
        if chance > 1 - COMPLAINT_CHANCE:
            self._post("complained", entry, address=address, now=now)
            self.stopped.setdefault(address, now)

    def _post(self, event: str, entry: Entry, *, address: str, now: datetime, **more: str) -> None:
        assert entry.form is not None
        status = {"delivery-status": {"code": 550, "message": "5.1.1 The mailbox does not exist."}} if more else {}
        report = mailgun_event(event, address=address, delivery=entry.number, batch="", at=now, **more, **status)
        report["id"] = uuid.UUID(int=self._chance.getrandbits(128)).hex
        report["timestamp"] = max(entry.at, now.astimezone(UTC).timestamp() - 60)
        report["user-variables"] = dict(entry.form.mail_for(address).variables)
        token = f"{self._chance.getrandbits(200):050x}"
        answer = self._client.post(
            f"/hooks/mailgun/{webhook_secret('mailgun')}",
            data=sign_mailgun(report, now=now, token=token, key=SIGNING_KEY),
            content_type="application/json",
        )
        assert answer.status_code == 200, f"A report was answered with {answer.status_code}: {answer.content.decode()}"
