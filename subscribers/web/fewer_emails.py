"""What "less" would be for one person: it stands wherever they may leave, with what the last month would have been."""

from dataclasses import dataclass
from datetime import datetime

from subscribers.models import Frequency, MailingList, Subscriber, Subscription
from subscribers.people.preferences import lists_on
from subscribers.people.publishing_hooks import current_host


@dataclass(frozen=True)
class Less:
    """Mails of last month as they were chosen, and with less. `monthly`: less is one mail a month, else events alone."""

    before: int
    after: int
    monthly: bool

    @property
    def saves(self) -> bool:
        return self.after < self.before


def offer_less(person: Subscriber, *, now: datetime) -> Less | None:
    """None for someone who has little already."""
    full = Subscription.objects.filter(subscriber=person, frequency=Frequency.EVERY).open().values("mailing_list_id")
    lists = [one for one in lists_on(person) if one.pk in {row["mailing_list_id"] for row in full}]
    if not lists:
        return None
    months = [month for one in lists if (month := current_host().last_month(person, one, now))]
    monthly = all(less_of(one) is Frequency.MONTHLY for one in lists)
    return Less(
        before=sum(month.issues for month in months),
        after=sum(month.issues > 0 for month in months) if monthly else sum(month.with_events for month in months),
        monthly=monthly,
    )


def less_of(mailing_list: MailingList) -> Frequency:
    """The month in one mail where that can be had, else only events near."""
    possible = current_host().rhythms(mailing_list)
    return Frequency.MONTHLY if Frequency.MONTHLY in possible else Frequency.EVENTS
