"""Find whose data a staff account, an API key or an export touched in a period, by the staff log.

It only reads. People of an export are found from who was on the list then; erased people are counted only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from newsletter.common.errors import NotFound
from newsletter.models import ApiKey, AuditEntry
from subscribers.models import ConsentEvent, HeldSignup, ImportBatch, Subscriber, Subscription

_BATCH_SIZE = 5_000


@dataclass
class AffectedPeople:
    """Row ids of people, each with the actions that touched them. `entries` is the number of log entries read."""

    entries: int = 0
    acts: dict[int, set[str]] = field(default_factory=dict)

    def add(self, people: Iterable[int], *, act: str) -> None:
        for pk in people:
            self.acts.setdefault(pk, set()).add(act)

    def known(self) -> list[Subscriber]:
        """Return the people who still exist, ordered by id."""
        ids = sorted(self.acts)
        people: list[Subscriber] = []
        for start in range(0, len(ids), _BATCH_SIZE):
            people += Subscriber.objects.filter(pk__in=ids[start : start + _BATCH_SIZE]).order_by("pk")
        return people


def list_staff_entries(email: str) -> QuerySet[AuditEntry]:
    """Return the log entries of this account. Raises NotFound."""
    person = User.objects.filter(username=email.strip().lower()).first()
    if person is None:
        raise NotFound(f"Nobody has an account under {email}. List the staff: newsletter staff list")
    return _entries().filter(user=person)


def list_api_key_entries(key_id: int) -> QuerySet[AuditEntry]:
    """Return the log entries of this API key, revoked or not. Raises NotFound."""
    key = ApiKey.objects.filter(pk=key_id).first()
    if key is None:
        raise NotFound(f"There is no key {key_id}. `newsletter api-key list` shows them all.")
    itself = Q(content_type=_content_type(ApiKey), object_id=str(key.pk))
    return _entries().filter(itself | Q(data__key_id=key.pk) | Q(data__key=key.name))


def list_export_entries(export_id: int) -> QuerySet[AuditEntry]:
    """Return the log entry of one export's download. Raises NotFound."""
    entries = _entries().filter(action="subscribers.export", data__export=export_id)
    if not entries.exists():
        raise NotFound(f"No export {export_id} was taken. The staff log gives the number of each.")
    return entries


def find_affected_people(entries: QuerySet[AuditEntry], *, since: datetime, until: datetime) -> AffectedPeople:
    """Return the people that these entries touched in `since` ≤ time < `until`."""
    touched = AffectedPeople()
    person, batch, held = _content_type(Subscriber), _content_type(ImportBatch), _content_type(HeldSignup)
    for entry in entries.filter(timestamp__gte=since, timestamp__lt=until).order_by("pk").iterator(chunk_size=1_000):
        touched.entries += 1
        about = (entry.data or {}).get("people")
        if entry.action == "subscribers.export":
            touched.add(_find_subscribers_at(entry.data, at=entry.timestamp), act=entry.action)
        elif isinstance(about, list):
            touched.add(about, act=entry.action)
        elif entry.content_type_id == person.pk:
            touched.add([int(entry.object_id)], act=entry.action)
        elif entry.content_type_id == batch.pk:
            touched.add(_find_imported(int(entry.object_id)), act=entry.action)
        elif entry.content_type_id == held.pk:
            touched.add(_find_from_held_signup(entry.object_id), act=entry.action)
    return touched


def _entries() -> QuerySet[AuditEntry]:
    entries: QuerySet[AuditEntry] = AuditEntry.objects.all()
    return entries


def _find_subscribers_at(data: Mapping[str, Any], *, at: datetime) -> Iterable[int]:
    """Return everybody who was on the list then (or on any list for `all`): at least those in the file."""
    then = Subscription.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), requested_at__lte=at)
    if data.get("list_id"):
        then = then.filter(mailing_list=data["list_id"])
    elif data["list"] != "all":
        then = then.filter(mailing_list__slug=data["list"])
    return then.values_list("subscriber_id", flat=True).iterator(chunk_size=_BATCH_SIZE)


def _find_imported(pk: int) -> Iterable[int]:
    """Return the people whom an import added or suppressed, or whose consent it renewed."""
    yield from Subscription.objects.filter(import_batch=pk).values_list("subscriber_id", flat=True)
    on_record = ConsentEvent.objects.filter(source=f"import {pk}", subscriber__isnull=False)
    yield from on_record.values_list("subscriber_id", flat=True)


def _find_from_held_signup(pk: str) -> Iterable[int]:
    """Return the person whom staff admitted from a held sign-up, if they did."""
    decided = AuditEntry.objects.filter(
        content_type=_content_type(HeldSignup), object_id=pk, action="subscribers.held_let_in"
    )
    for entry in decided:
        yield from entry.data["people"]


def _content_type(model: type[Model]) -> ContentType:
    return ContentType.objects.get_for_model(model)
