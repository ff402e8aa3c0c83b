"""Sends by readers' hours for tests: readers in several zones, and a worker that looks at given moments."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from newsletter.models import Issue, Publication, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.sweep import sweep
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import add_subscribers, make_issue, make_publication, make_story
from tests.support.repeated_rows import repeat_rows

AUCKLAND, LONDON_ZONE, LOS_ANGELES = "Pacific/Auckland", "Europe/London", "America/Los_Angeles"
AUCKLAND_HOUR = datetime(2026, 3, 4, 20, tzinfo=UTC)
LONDON_HOUR = datetime(2026, 3, 5, 9, tzinfo=UTC)
LOS_ANGELES_HOUR = datetime(2026, 3, 5, 17, tzinfo=UTC)
"""When it is 09:00 on 5 March there, the time of the issue of `tests.support.fixtures.DUE`."""


def zone_place(zone: str) -> dict[str, Any]:
    """Return a place that has nothing but its zone."""
    return {"country": "", "region": "", "town": zone, "latitude": None, "longitude": None, "zone": zone}


def add_readers(publication: Publication, **people: int) -> None:
    """Add people in Auckland, London and Los Angeles, numbered on."""
    zones = {"auckland": AUCKLAND, "london": LONDON_ZONE, "los_angeles": LOS_ANGELES}
    start = 0
    for name, count in people.items():
        add_subscribers(publication, count, where=zone_place(zones[name]), start=start)
        start += count


@repeat_rows
def make_local_issue(*, approved: bool = True, **publication: Any) -> Issue:
    """Create an approved issue for 12 people in Auckland, 25 in London and 7 in Los Angeles, in this order."""
    made = make_publication(send_at="local", **publication)
    make_story("The first verdict")
    add_readers(made, auckland=12, london=25, los_angeles=7)
    return make_issue(made, approved=approved)


@repeat_rows
def start_local_send(**publication: Any) -> Send:
    """Start the send of such an issue at the hour of Auckland."""
    return start_send(issue=make_local_issue(**publication), now=AUCKLAND_HOUR)


def work_at(moment: datetime) -> None:
    """Do all that a worker does if it looks once at this moment."""
    sweep(adapter=current_adapter(), clock=lambda: moment)
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: moment))
    sweep(adapter=current_adapter(), clock=lambda: moment)


def read_mailed(provider: FakeProvider) -> Counter[str]:
    """Return how many people of each city the provider has mail for."""
    cities = ["auckland"] * 12 + ["london"] * 25 + ["los_angeles"] * 7
    numbers = (int(address.partition("@")[0].removeprefix("person")) for address in provider.accepted_counts())
    return Counter(cities[number] for number in numbers)


def reload(send: Send) -> Send:
    return Send.objects.get(pk=send.pk)
