"""The offer of fewer emails, shown wherever a person may unsubscribe."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, ngettext

from subscribers.models import Frequency, MailingList, Subscriber, Subscription
from subscribers.people.preferences import find_subscribed_lists
from subscribers.people.publishing_hooks import MonthlyDigests, get_publishing_hooks


@dataclass(frozen=True)
class FewerEmailsOffer:
    """Last month's mails before and after the offer, and the words of its button."""

    before: int
    after: int
    button: str

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
        after = sum(month.with_events for month in months.values())
        return FewerEmailsOffer(before, after=after, button=gettext("Only events near me"))
    digests = {mailing_list: hooks.digests(mailing_list) for mailing_list in lists}
    mails = {mailing_list: max(each.mails, 1) for mailing_list, each in digests.items()}
    after = sum(min(month.issues, mails[mailing_list]) for mailing_list, month in months.items())
    together = MonthlyDigests(sum(mails.values()), has_all=all(each.has_all for each in digests.values()))
    return FewerEmailsOffer(before, after=after, button=label_monthly(together))


def label_monthly(digests: MonthlyDigests) -> str:
    """Return the name of the monthly frequency. It says if some newsletters end with it."""
    text = ngettext("Once a month, in one mail", "Once a month, in at most %(mails)s mails", max(digests.mails, 1))
    often = text % {"mails": digests.mails}
    return often if digests.has_all else gettext("%(often)s (without newsletters that have none)") % {"often": often}


def find_lower_frequencies(person: Subscriber) -> dict[MailingList, Frequency]:
    """Return the lists of which the person gets every issue, with the offered frequency, which is the same for all.

    It is monthly if all of these lists offer that, else only events nearby. A list of which the person chose less stays so.
    """
    full = Subscription.objects.filter(subscriber=person, frequency=Frequency.EVERY).open()
    every = set(full.values_list("mailing_list_id", flat=True))
    lists = [mailing_list for mailing_list in find_subscribed_lists(person) if mailing_list.pk in every]
    offered = get_publishing_hooks().frequencies
    monthly = all(Frequency.MONTHLY in offered(mailing_list) for mailing_list in lists)
    return dict.fromkeys(lists, Frequency.MONTHLY if monthly else Frequency.EVENTS)
