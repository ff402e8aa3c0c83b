"""The choices of a soak's seed: the provider, its rate, and how many of its reports are lost."""

import base64
from dataclasses import dataclass, replace
from urllib.parse import quote

from tests.support.fake_provider import FakeProvider
from tests.support.provider_webhooks import SIGNING_KEY

RESEND_SECRET = "whsec_" + base64.b64encode(b"a signing secret of the soak").decode()
WEBHOOK_KEYS = {"mailgun": SIGNING_KEY, "resend": RESEND_SECRET}


@dataclass(frozen=True)
class Plan:
    """``lost`` is the share of the provider's reports that never arrive; ``batch`` is how many people a call has."""

    scheme: str
    lost: float
    batch: int

    @property
    def words(self) -> str:
        return f"{self.scheme}, {self.lost:.0%} of its reports lost"

    def url(self, provider: FakeProvider, *, people_per_second: int) -> str:
        """Return NEWSLETTER_PROVIDER_URL of this provider at the fake one's address."""
        rate = f"&people_per_second={people_per_second}&calls_per_second={max(people_per_second // self.batch, 1)}"
        key = quote(WEBHOOK_KEYS[self.scheme], safe="")
        return f"{provider.url_of(self.scheme)}&max_batch={self.batch}{rate}&webhook_key={key}"


PLANS = (Plan("mailgun", 0.3, 500), Plan("resend", 0.3, 100), Plan("mailgun", 1.0, 500))


MAX_BATCHES = 400


def choose_plan(seed: int, *, people: int) -> Plan:
    """Mailgun is asked about what is uncertain, Resend is called again with the same key; the third hears no report at all.

    Fewer people than that many whole batches go in smaller ones, so that there is something to go wrong.
    """
    plan = PLANS[(seed - 1) % len(PLANS)]
    return replace(plan, batch=min(plan.batch, max(people // MAX_BATCHES, 10)))
