"""A charity that sends by a provider's API and, if that is away, by postfix; both deliver into dovecot, and mail comes in."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import quote

import requests

from newsletter.feedback.apply import apply_due_events
from newsletter.feedback.endpoint import webhook_url
from newsletter.inbound.canaries.read_canaries import read_canary_mailboxes
from newsletter.inbound.forward_replies import forward_waiting_replies
from newsletter.inbound.read_mailboxes import read_mailboxes
from newsletter.models import CanaryMail, CanaryMailbox, Delivery, Issue, Send
from newsletter.sending.adapters import current_adapter, further_adapters
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due, run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import Receipt, make_receipt
from newsletter.sending.settling.sweep import sweep
from subscribers.models import Subscriber
from tests.integration.mail_servers import CANARY, PASSWORD, USER, MailServers
from tests.support.canaries import KeyDns, write_received
from tests.support.fake_provider import FakeProvider
from tests.support.inbound_mails import make_reply
from tests.support.provider_webhooks import mailgun_event, sign_mailgun

STAFF = "hello@example.com"
READERS = [f"person{number}@example.com" for number in range(7)]
GONE = "person7@example.com"
"""A subscriber whose mailbox does not exist any more."""
MAILBOXES = [STAFF, *READERS]
PEOPLE_A_CALL = 2


class Clock:
    """The time of day, which also moves on by what is slept, so that waiting takes no time."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def nap(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=max(seconds, 10))


@dataclass
class Charity:
    """The installation between its provider and the mail servers. ``clock`` is the time of all its jobs."""

    api: FakeProvider
    servers: MailServers
    clock: Clock = field(default_factory=Clock)
    _relayed: int = 0

    @property
    def provider_url(self) -> str:
        return f"{self.api.provider_url}&max_batch={PEOPLE_A_CALL}"

    @property
    def second_url(self) -> str:
        return f"smtp://127.0.0.1:{self.servers.smtp}?return_path={USER}"

    @property
    def inbound_url(self) -> str:
        return f"imaps://{quote(USER)}:{quote(PASSWORD, safe='')}@localhost:{self.servers.imaps}/INBOX"

    def start(self, issue: Issue) -> Send:
        """Start to send an issue. Its first canary is in the mailbox afterwards, and nobody else has it."""
        send = start_send(issue=issue, now=self.clock())
        self.work()
        assert make_receipt(send).deliveries["pending"] == send.recipients
        return send

    def work(self, *, calls: int = 100) -> None:
        """Do once what workers do, and let the provider deliver."""
        dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=self.clock), limit=calls)
        sweep(adapter=current_adapter(), clock=self.clock)
        self.deliver()

    def finish(self, send: Send) -> Send:
        """Work until the send ends, at most some minutes of the clock. One that pauses meanwhile is looked at again."""
        for _ in range(20):
            send = run_send(send=send, adapter=current_adapter(), clock=self.clock, sleep=self.clock.nap)
            self.deliver()
            if send.state == Send.State.SUBMITTED:
                break
            self.clock.nap(10)
        return send

    def deliver(self) -> None:
        """Let the provider mail what it accepted, through the mail servers."""
        accepted = self.api.accepted()
        for entry in accepted[self._relayed :]:
            for address in entry.recipients:
                assert entry.form is not None
                raw = write_received(entry.form.mail_for(address), signed=False)
                self.servers.send(raw, to=address, sender=f"bounces@{self.api.domain}")
        self._relayed = len(accepted)

    def look_for_canary(self) -> CanaryMail:
        """Return the newest canary as it was found in its mailbox."""
        mail = CanaryMail.objects.latest("pk")
        self.servers.wait_for(CanaryMail.objects.count(), user=CANARY)
        CanaryMailbox.objects.update(looked_at=None)
        read_canary_mailboxes(now=self.clock(), dns=KeyDns())
        mail.refresh_from_db()
        return mail

    def find_mail(self, person: Subscriber, issue: Issue) -> EmailMessage:
        """Return the only mail of the issue that is in the mailbox of this person."""
        (found,) = [mail for mail in self._list_mails(person.email) if mail["Subject"] == issue.subject]
        return found

    def count_mails(self, issue: Issue) -> Counter[str]:
        """Return how many mails of the issue each reader has, once every recipient with a mailbox has one."""
        expected, until = set(self.list_recipients(issue)) - {GONE}, time.monotonic() + 30
        while True:
            found = Counter(
                address for address in READERS for mail in self._list_mails(address) if mail["Subject"] == issue.subject
            )
            if expected <= found.keys() or time.monotonic() > until:
                return found
            time.sleep(0.2)

    def list_recipients(self, issue: Issue, *, account: str = "") -> list[str]:
        """Return the addresses of those who were to get the issue, of one account or of all."""
        mails = Delivery.objects.filter(issue=issue).order_by("pk")
        chosen = mails.filter(batch__account=account) if account else mails
        people = Subscriber.objects.in_bulk(chosen.values_list("subscriber_id", flat=True))
        return [people[pk].email for pk in chosen.values_list("subscriber_id", flat=True)]

    def write(self, *, sender: str, to: str, text: str) -> None:
        """Let a reader write a mail, which goes through postfix."""
        mail = make_reply(sender=sender, to=to, text=text, message_id=f"<{sender}>")
        self.servers.send(mail.as_bytes(), to=to, sender=sender)

    def read_inbound(self, *, mails: int) -> None:
        """Read so many mails that came in, and act on them."""
        self.servers.wait_for(mails)
        assert read_mailboxes(now=self.clock()) == mails
        apply_due_events(clock=self.clock)

    def forward_waiting_replies(self) -> list[EmailMessage]:
        """Send the replies on and return what is in the mailbox of staff. A provider that was away is not called at once."""
        for _ in range(20):
            if forward_waiting_replies(now=self.clock()):
                break
            self.clock.nap(30)
        self.deliver()
        self.servers.wait_for(1, user=STAFF)
        return self._list_mails(STAFF)

    def report_delivered(self, send: Send) -> None:
        """Let the provider report by its webhook that each mail that went through it was delivered."""
        for mail in Delivery.objects.filter(batch__send=send, batch__account="default").select_related("batch"):
            address = Subscriber.objects.get(pk=mail.subscriber_id).email
            event = mailgun_event("delivered", address=address, delivery=mail.pk, batch=mail.batch.key, at=self.clock())
            body = sign_mailgun(event, now=datetime.now(UTC), token=f"{mail.pk:050}")
            answer = requests.post(webhook_url("mailgun"), data=body, timeout=10)
            assert answer.status_code == 200, answer.text
        apply_due_events(clock=self.clock)

    def close(self) -> None:
        """End the connections to the provider and to postfix."""
        for adapter in (current_adapter(), *further_adapters().values()):
            adapter.close()

    def _list_mails(self, address: str) -> list[EmailMessage]:
        parsed = [message_from_bytes(raw, policy=SMTP) for raw in self.servers.list_folder("INBOX", user=address)]
        return [mail for mail in parsed if isinstance(mail, EmailMessage)]


def check_receipt(send: Send, *, accepted: int) -> Receipt:
    """Assert that the receipt has every recipient once, all of them accepted."""
    receipt = make_receipt(send)
    assert receipt.candidates == receipt.recipients + sum(receipt.excluded.values())
    assert receipt.recipients == sum(receipt.deliveries.values()) == receipt.deliveries["accepted"] == accepted
    return receipt
