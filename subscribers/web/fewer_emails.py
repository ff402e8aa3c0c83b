"""The offer of fewer emails, shown wherever a person may unsubscribe."""

from dataclasses import dataclass
from datetime import datetime

from subscribers.models import Frequency, MailingList, Subscriber, Subscription
from subscribers.people.preferences import find_subscribed_lists
from subscribers.people.publishing_hooks import get_publishing_hooks


@dataclass(frozen=True)
class FewerEmailsOffer:
    """Last month's mails before and after the offer. `monthly`: one mail a month; otherwise only events nearby."""

    before: int
    after: int
    monthly: bool

    @property
    def saves(self) -> bool:
        return self.after < self.before


def make_fewer_emails_offer(person: Subscriber, *, now: datetime) -> FewerEmailsOffer | None:
    """Return the offer, or None for someone who already gets few emails."""
    full = Subscription.objects.filter(subscriber=person, frequency=Frequency.EVERY).open().values("mailing_list_id")
    lists = [
        mailing_list
        for mailing_list in find_subscribed_lists(person)
        if mailing_list.pk in {row["mailing_list_id"] for row in full}
    ]
    if not lists:
        return None
    months = [
        month for mailing_list in lists if (month := get_publishing_hooks().last_month(person, mailing_list, now))
    ]
    monthly = all(lower_frequency_of(mailing_list) is Frequency.MONTHLY for mailing_list in lists)
    return FewerEmailsOffer(
        before=sum(month.issues for month in months),
        after=sum(month.issues > 0 for month in months) if monthly else sum(month.with_events for month in months),
        monthly=monthly,
    )


def lower_frequency_of(mailing_list: MailingList) -> Frequency:
    """Return monthly if the list offers it, else only events nearby."""
    possible = get_publishing_hooks().frequencies(mailing_list)
    return Frequency.MONTHLY if Frequency.MONTHLY in possible else Frequency.EVENTS
