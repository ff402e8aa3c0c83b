"""Add, change, test and remove the endpoints that receive webhooks. A secret is returned once, when it is made."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Least, Now

from newsletter.common.errors import DomainError, NotReady
from newsletter.common.text import clean_line, require_length
from newsletter.content.fetching.poster import check_post_address
from newsletter.outbound.signing import SEALER, make_secret
from subscribers.models import EventKind, OutboundEvent, WebhookDelivery, WebhookEndpoint
from subscribers.outbound_events import DESK

MAX_ENDPOINTS = 20
MAX_NAME_LENGTH = 120
ROTATION_PERIOD = timedelta(days=1)
CHOICES = [kind for kind in EventKind if kind != EventKind.TEST]
"""The kinds that an endpoint can choose."""


class BadEndpoint(DomainError):
    """The endpoint cannot be stored as it was given."""


def add_endpoint(
    *,
    name: str,
    url: str,
    kinds: Sequence[str],
    by: str,
    now: datetime,
    write_entry: Callable[[WebhookEndpoint], object] | None = None,
) -> tuple[WebhookEndpoint, str]:
    """Create an endpoint and write the staff log's entry in one transaction. Return the endpoint and its signing secret.

    Raises BadEndpoint, BadValue and FetchError.
    """
    name = _check_name(name)
    chosen = _check_kinds(kinds)
    check_post_address(url, allow=settings.NEWSLETTER_FETCH_ALLOW)
    secret = make_secret()
    with transaction.atomic():
        if WebhookEndpoint.objects.count() >= MAX_ENDPOINTS:
            raise BadEndpoint(
                "There are %(limit)s webhooks already. Remove one that you no longer use.", limit=MAX_ENDPOINTS
            )
        endpoint = WebhookEndpoint.objects.create(
            name=name, url=url, kinds=chosen, sealed_secret=SEALER.seal(secret), made_by=by, made_at=now
        )
        if write_entry is not None:
            write_entry(endpoint)
    return endpoint, secret


def change_endpoint(
    *,
    endpoint: WebhookEndpoint,
    name: str,
    url: str,
    kinds: Sequence[str],
    write_entries: Callable[[WebhookEndpoint, bool], object] | None = None,
) -> str:
    """Store a new name, address or choice of events. Return the new signing secret, "" if the address is the same.

    ``write_entries`` writes the staff log in the same transaction. It gets the changed row, and True if there is a new secret.

    Another address may be another receiver, and the one before knows the secret. So nothing is signed with it any more, and
    what waits is sent at once. It begins without the failures of the address before, and an attempt that runs there counts for
    nothing. What waits of events that are no longer chosen is dropped. Raises BadEndpoint, BadValue and FetchError.
    """
    name, chosen = _check_name(name, but=endpoint), _check_kinds(kinds)
    if url != endpoint.url:
        check_post_address(url, allow=settings.NEWSLETTER_FETCH_ALLOW)
    secret = ""
    with transaction.atomic():
        row = WebhookEndpoint.objects.filter(pk=endpoint.pk)
        is_moved = row.select_for_update().values_list("url", flat=True).get() != url
        row.update(name=name, url=url, kinds=chosen)
        if is_moved:
            secret = make_secret()
            row.update(retry_at=None, sealed_secret=SEALER.seal(secret), sealed_old_secret="", old_secret_until=None)
            # A stopped endpoint keeps this time, so that turning it on sends the events that were given up since.
            row.filter(state=WebhookEndpoint.State.ACTIVE).update(failures=0, failing_since=None)
            endpoint.deliveries.pending().update(
                due_at=Least(F("due_at"), Now()), first_attempt_at=None, attempts=0, claim=None, leased_until=None
            )
        if chosen:
            endpoint.deliveries.pending().exclude(event__kind__in=[*chosen, EventKind.TEST]).delete()
        if write_entries is not None:
            write_entries(row.get(), is_moved)
    return secret


def rotate_secret(*, endpoint: WebhookEndpoint, now: datetime) -> str:
    """Return a new signing secret. For a day the one before signs too, so that the receiver has time to change."""
    secret = make_secret()
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        row.sealed_old_secret, row.old_secret_until = row.sealed_secret, now + ROTATION_PERIOD
        row.sealed_secret = SEALER.seal(secret)
        row.save(update_fields=["sealed_secret", "sealed_old_secret", "old_secret_until"])
    return secret


@transaction.atomic
def turn_on(*, endpoint: WebhookEndpoint, now: datetime) -> bool:
    """Turn an endpoint on again, beginning with the events that it missed since it failed. Return False if it was active."""
    stopped = WebhookEndpoint.objects.filter(pk=endpoint.pk).exclude(state=WebhookEndpoint.State.ACTIVE)
    changed = stopped.update(state=WebhookEndpoint.State.ACTIVE, failures=0, failing_since=None, retry_at=None)
    if changed:
        lost = Q(state=WebhookDelivery.State.GIVEN_UP, attempted_at__gte=endpoint.failing_since or now)
        again = endpoint.deliveries.filter(Q(state=WebhookDelivery.State.PENDING) | lost)
        again.update(state=WebhookDelivery.State.PENDING, due_at=now, first_attempt_at=None, attempts=0)
    return bool(changed)


def turn_off(*, endpoint: WebhookEndpoint) -> bool:
    """Stop recording events for an endpoint, and drop what waits. Return False if it was off."""
    running = WebhookEndpoint.objects.filter(pk=endpoint.pk).exclude(state=WebhookEndpoint.State.OFF)
    with transaction.atomic():
        changed = running.update(state=WebhookEndpoint.State.OFF)
        if changed:
            endpoint.deliveries.pending().delete()
    return bool(changed)


def remove_endpoint(*, endpoint: WebhookEndpoint) -> None:
    """Delete an endpoint with its deliveries."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).delete()


@transaction.atomic
def send_test(*, endpoint: WebhookEndpoint, now: datetime) -> WebhookDelivery:
    """Record a test event for this endpoint alone. Raises NotReady if it is not active."""
    require_active(endpoint)
    event = OutboundEvent.objects.create(
        kind=EventKind.TEST, at=now, origin=DESK, data={"message": "This is a test. You can ignore it."}
    )
    return WebhookDelivery.objects.create(endpoint=endpoint, event=event, due_at=now)


def require_active(endpoint: WebhookEndpoint) -> None:
    """Raise NotReady if nothing is sent to the endpoint."""
    if endpoint.state != WebhookEndpoint.State.ACTIVE:
        raise NotReady("“%(name)s” is not active, so nothing is sent to it. Turn it on first.", name=endpoint.name)


def _check_name(name: str, *, but: WebhookEndpoint | None = None) -> str:
    name = require_length(clean_line(name), limit=MAX_NAME_LENGTH, name="name")
    if not name:
        raise BadEndpoint("The webhook needs a name that says what receives it, such as “Donor database”.")
    with_name = WebhookEndpoint.objects.filter(name=name)
    if (with_name.exclude(pk=but.pk) if but else with_name).exists():
        raise BadEndpoint("There is a webhook “%(name)s” already. Choose another name.", name=name)
    return name


def _check_kinds(kinds: Sequence[str]) -> list[str]:
    unknown = sorted(set(kinds) - set(CHOICES))
    if unknown:
        raise BadEndpoint("There is no event “%(kind)s”. Choose from the list.", kind=unknown[0])
    return sorted(set(kinds))
