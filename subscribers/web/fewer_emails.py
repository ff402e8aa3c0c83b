"""The offer of fewer emails, shown wherever a person may unsubscribe."""

from dataclasses import dataclass
from datetime import datetime

from subscribers.models import Frequency, MailingList, Subscriber, Subscription
from subscribers.people.preferences import find_subscribed_lists
from subscribers.people.publishing_hooks import get_publishing_hooks


@dataclass(frozen=True)
class FewerEmailsOffer:
    """Last month's mails before and after the offer. `monthly`: the digests, `mails` in a month; otherwise only events nearby."""

    before: int
    after: int
    monthly: bool
    mails: int = 0

    @property
    def saves(self) -> bool:
        return self.after < self.before


def make_fewer_emails_offer(person: Subscriber, *, now: datetime) -> FewerEmailsOffer | None:
    """Return the offer, or None for someone who already gets few emails."""
    lists = find_lower_frequencies(person)
    if not lists:
        return None
    hooks = get_publishing_hooks()
    found = {mailing_list: hooks.last_month(person, mailing_list, now) for mailing_list in lists}
    months = {mailing_list: month for mailing_list, month in found.items() if month is not None}
    before = sum(month.issues for month in months.values())
    if Frequency.MONTHLY not in lists.values():
        return FewerEmailsOffer(before, after=sum(month.with_events for month in months.values()), monthly=False)
    mails = {mailing_list: max(hooks.digests(mailing_list).mails, 1) for mailing_list in lists}
    after = sum(min(month.issues, mails[mailing_list]) for mailing_list, month in months.items())
    return FewerEmailsOffer(before, after=after, monthly=True, mails=sum(mails.values()))


def find_lower_frequencies(person: Subscriber) -> dict[MailingList, Frequency]:
    """Return the lists of which the person gets every issue, with what the offer makes of them: the same for all.

    It is monthly if all of these lists offer that, else only events nearby. A list of which the person chose less stays so.
    """
    full = Subscription.objects.filter(subscriber=person, frequency=Frequency.EVERY).open()
    every = set(full.values_list("mailing_list_id", flat=True))
    lists = [mailing_list for mailing_list in find_subscribed_lists(person) if mailing_list.pk in every]
    offered = get_publishing_hooks().frequencies
    monthly = all(Frequency.MONTHLY in offered(mailing_list) for mailing_list in lists)
    return dict.fromkeys(lists, Frequency.MONTHLY if monthly else Frequency.EVENTS)
