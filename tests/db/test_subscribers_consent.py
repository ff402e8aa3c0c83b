"""Consent is recorded, suppressions hold, and the person's own request decides."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction

from newsletter.common.errors import BadAddress
from subscribers.consent.confirmations import (
    list_due_confirmations,
    make_confirmation_url,
    queue_confirmation,
)
from subscribers.consent.signup import (
    ConfirmationResult,
    SignupRequest,
    SignupResult,
    confirm_subscription,
    request_subscription,
)
from subscribers.erasing.erasure import erase_person
from subscribers.erasing.retention import purge_expired_data
from subscribers.identity import identify
from subscribers.links.signed_links import LinkTarget, Purpose, read_link
from subscribers.models import (
    AppendOnly,
    Basis,
    Confirmation,
    ConfirmationQuota,
    ConsentEvent,
    EndReason,
    ImportBatch,
    ImportRefusal,
    MailingList,
    Reason,
    Scope,
    StayQuestion,
    Subscriber,
    SubscriberLocation,
    Subscription,
    Suppression,
    Topic,
)
from subscribers.people.bulk_actions import take_off_list
from subscribers.people.describe_person import describe_person
from subscribers.people.locations import Location, get_location_row, locate
from subscribers.people.lookup import UnknownPerson, find_person
from subscribers.people.merge import merge_people
from subscribers.people.preferences import choose_lists, save_preferences
from subscribers.unsubscribing.suppression import CannotRemoveSuppression, remove_suppression, suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.people import NOW, make_list, make_member, make_person, subscribe

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def ask(
    mailing_list: MailingList, email: str = "ada@example.org", *, now: datetime = NOW, **fields: object
) -> SignupResult:
    asked = {"email": email, "mailing_list": mailing_list, "wording": "Send me it.", "source": "page", **fields}
    return request_subscription(SignupRequest(**asked), now=now)


def confirm(mailing_list: MailingList, email: str = "ada@example.org", **fields: object) -> ConfirmationResult:
    target = LinkTarget(find_person(email).uuid, mailing_list.public_id, NOW)
    return confirm_subscription(**{"target": target, "now": NOW, **fields})


def kinds() -> list[str]:
    return list(ConsentEvent.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.requirement("P1")
def test_a_request_waits_for_its_confirmation_and_both_are_on_record() -> None:
    weekly = make_list()
    assert ask(weekly) is SignupResult.ASKED
    waiting = Subscription.objects.get()
    assert (waiting.confirmed_at, waiting.evidence) == (None, "Send me it.")
    later = NOW + timedelta(hours=2)
    assert confirm(weekly, now=later, wording="Yes, send me Weekly") is ConfirmationResult.NOW
    assert Subscription.objects.get().confirmed_at == later
    first, second = ConsentEvent.objects.order_by("pk")
    assert (first.kind, first.wording, first.source, first.at) == ("requested", "Send me it.", "page", NOW)
    assert (second.kind, second.wording, second.at) == ("confirmed", "Yes, send me Weekly", later)


@pytest.mark.requirement("K3")
def test_a_second_confirmation_changes_nothing() -> None:
    weekly = make_list()
    ask(weekly)
    confirm(weekly)
    assert confirm(weekly, now=NOW + timedelta(days=1)) is ConfirmationResult.BEFORE
    assert Subscription.objects.get().confirmed_at == NOW
    assert kinds() == ["requested", "confirmed"]


def test_a_confirmation_of_a_request_that_is_over_revives_nothing() -> None:
    weekly = make_list()
    ask(weekly)
    unsubscribe_from_list(subscriber=find_person("ada@example.org"), mailing_list=weekly, now=NOW)
    assert confirm(weekly) is ConfirmationResult.GONE
    assert not Subscription.objects.open().exists()
    assert not Confirmation.objects.exists()


def test_a_list_without_double_opt_in_takes_people_at_once() -> None:
    weekly = make_list(double_opt_in=False)
    assert ask(weekly) is SignupResult.JOINED
    assert Subscription.objects.mailable().count() == 1
    assert not Confirmation.objects.exists()
    assert confirm(weekly) is ConfirmationResult.BEFORE


def test_someone_on_the_list_is_not_asked_again_and_their_details_stay() -> None:
    weekly = make_list()
    make_member(weekly, name="Ada")
    assert ask(weekly, name="Mallory", email="ADA@example.org") is SignupResult.KNOWN
    assert Subscriber.objects.get().name == "Ada"
    assert kinds() == []


def test_details_of_a_person_not_yet_confirmed_fill_only_what_is_blank() -> None:
    weekly = make_list()
    topic = Topic.objects.create(slug="land", name="Land")
    ask(weekly, name="Ada")
    ask(weekly, name="Bea", language="fr", topics=[topic])
    person = Subscriber.objects.get()
    assert (person.name, person.language, list(person.topics.all())) == ("Ada", "fr", [topic])


def test_a_request_with_no_address_is_refused() -> None:
    with pytest.raises(BadAddress):
        ask(make_list(), email="not an address")


@pytest.mark.requirement("A2")
def test_one_address_gets_one_confirmation_mail_a_day_and_three_in_all() -> None:
    weekly = make_list()
    queued = 0
    for hours in range(0, 24 * 30, 6):
        ask(weekly, now=NOW + timedelta(hours=hours))
        for confirmation in Confirmation.objects.unsent():
            queued += confirmation.claim(now=NOW + timedelta(hours=hours))
    assert queued == 3
    times = list(Confirmation.objects.order_by("requested_at").values_list("requested_at", flat=True))
    assert all(later - earlier >= timedelta(hours=24) for earlier, later in pairwise(times))
    assert kinds() == ["requested"] * 3


def test_a_second_request_is_queued_once_the_address_is_confirmed() -> None:
    weekly, events = make_list(), make_list("events")
    ask(weekly)
    assert ask(events) is SignupResult.WAITING
    assert [one.mailing_list for one in list_due_confirmations(now=NOW)] == [weekly]
    Confirmation.objects.get().claim(now=NOW)
    confirm(weekly, now=NOW + timedelta(minutes=5))
    assert [one.mailing_list for one in list_due_confirmations(now=NOW + timedelta(minutes=6))] == [events]


def test_a_confirmation_mail_is_claimed_by_one_sender_only() -> None:
    weekly = make_list()
    ask(weekly)
    confirmation = list_due_confirmations(now=NOW).get()
    assert confirmation.claim(now=NOW)
    assert not confirmation.claim(now=NOW)
    assert not list_due_confirmations(now=NOW).exists()


def test_the_link_of_a_confirmation_mail_names_person_and_list() -> None:
    weekly = make_list()
    ask(weekly)
    url = make_confirmation_url(confirmation=Confirmation.objects.get(), now=NOW)
    target = read_link(url.rsplit("/c/", 1)[1], purpose=Purpose.CONFIRM, now=NOW)
    assert (target.subscriber_uuid, target.public_id) == (Subscriber.objects.get().uuid, weekly.public_id)


def test_confirmation_mails_to_blocked_addresses_and_old_ones_are_not_due() -> None:
    weekly = make_list()
    ask(weekly)
    assert not list_due_confirmations(now=NOW + timedelta(days=8)).exists()
    suppress(address_hash=identify("ada@example.org"), reason=Reason.HARD, now=NOW)
    assert not list_due_confirmations(now=NOW).exists()


def test_a_person_with_implied_consent_who_asks_to_stay_gets_the_mail() -> None:
    weekly, ada = make_list(), make_person()
    subscribe(ada, weekly, basis=Basis.CASL_IMPLIED, expires_at=NOW + timedelta(days=50))
    assert ask(weekly) is SignupResult.ASKED
    assert list_due_confirmations(now=NOW).get().subscriber == ada
    confirm(weekly)
    assert not list_due_confirmations(now=NOW).exists()


@pytest.mark.parametrize("confirmed_at", [None, NOW - timedelta(days=900)])
def test_a_resting_person_who_signs_up_again_gets_the_mail(confirmed_at: datetime | None) -> None:
    weekly, ada = make_list(), make_person()
    basis = Basis.CONSENT if confirmed_at is None else Basis.DOUBLE_OPT_IN
    subscribe(ada, weekly, basis=basis, confirmed_at=confirmed_at)
    asked_at = NOW - timedelta(days=60)
    StayQuestion.objects.create(
        subscriber=ada, mailing_list=weekly, asked_at=asked_at, sent_at=asked_at, resting_since=NOW - timedelta(days=30)
    )
    assert ask(weekly) is SignupResult.ASKED
    assert list_due_confirmations(now=NOW).get().subscriber == ada
    assert confirm(weekly) is ConfirmationResult.NOW
    assert not list_due_confirmations(now=NOW).exists()


def test_a_confirmation_mail_too_old_to_send_keeps_no_later_one_back() -> None:
    weekly, news = make_list(), make_list("news")
    make_member(news)
    ask(weekly)
    later = NOW + timedelta(days=8)
    purge_expired_data(now=later)
    assert ask(weekly, now=later) is SignupResult.ASKED
    assert list_due_confirmations(now=later).get().requested_at == later


def test_a_suppression_of_one_list_allows_confirming_another() -> None:
    weekly, news = make_list(), make_list("news")
    for target in (weekly, news):
        suppress(address_hash=identify(f"{target.slug}@example.org"), reason=Reason.STAFF, mailing_list=target, now=NOW)
    assert ask(weekly, "news@example.org") is SignupResult.ASKED
    assert list_due_confirmations(now=NOW).get().subscriber.email == "news@example.org"


@pytest.mark.parametrize("reason", [Reason.HARD, Reason.SOFT_LIMIT, Reason.STAFF, Reason.LEGAL])
@pytest.mark.requirement("S5")
def test_a_sign_up_cannot_pass_a_suppression_that_is_not_the_persons_own(reason: Reason) -> None:
    weekly = make_list()
    suppress(address_hash=identify("ada@example.org"), reason=reason, now=NOW)
    assert ask(weekly) is SignupResult.BLOCKED
    assert not Subscriber.objects.exists()
    assert Suppression.objects.live().count() == 1


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBE, Reason.COMPLAINT, Reason.ERASURE])
@pytest.mark.requirement("S3")
def test_only_a_confirmed_fresh_request_lifts_what_the_person_set(reason: Reason) -> None:
    weekly = make_list(double_opt_in=False)
    suppress(address_hash=identify("ada@example.org"), reason=reason, now=NOW)
    assert ask(weekly) is SignupResult.ASKED
    assert Suppression.objects.live().count() == 1
    assert not Subscription.objects.mailable().exists()
    assert confirm(weekly) is ConfirmationResult.NOW
    assert not Suppression.objects.live().exists()
    assert Suppression.objects.get().removal_reason == "confirmed a fresh request by mail"


@pytest.mark.requirement("S3")
@pytest.mark.parametrize("fields", [{}, {"basis": "consent_double_opt_in", "confirmed_at": NOW}])
def test_a_confirmation_removes_a_suppression_of_an_open_subscription(fields: dict[str, object]) -> None:
    weekly = make_list()
    ada = make_person()
    subscribe(ada, weekly, **fields)
    for mailing_list in (weekly, None):
        suppress(address_hash=bytes(ada.address_hash), reason=Reason.UNSUBSCRIBE, now=NOW, mailing_list=mailing_list)
    assert confirm(weekly) is ConfirmationResult.NOW
    assert not Suppression.objects.live().exists()
    assert kinds()[-1] == "confirmed"
    assert confirm(weekly) is ConfirmationResult.BEFORE
    assert kinds().count("confirmed") == 1


def test_a_complaint_ends_every_subscription() -> None:
    weekly, events = make_list(), make_list("events")
    person = make_member(weekly)
    subscribe(person, events)
    assert suppress(address_hash=bytes(person.address_hash), reason=Reason.COMPLAINT, now=NOW)
    assert not suppress(address_hash=bytes(person.address_hash), reason=Reason.COMPLAINT, now=NOW)
    assert set(Subscription.objects.values_list("end_reason", flat=True)) == {EndReason.COMPLAINT}
    ask(weekly)
    confirm(weekly)
    assert [one.mailing_list for one in Subscription.objects.mailable()] == [weekly]


@pytest.mark.requirement("S4")
def test_reasons_and_scopes_are_kept_apart_and_each_once() -> None:
    weekly, person = make_list(), make_person()
    address_hash = bytes(person.address_hash)
    for reason in Reason:
        for mailing_list in (None, weekly):
            assert suppress(address_hash=address_hash, reason=reason, mailing_list=mailing_list, now=NOW)
            assert not suppress(address_hash=address_hash, reason=reason, mailing_list=mailing_list, now=NOW)
    assert Suppression.objects.live().count() == 2 * len(Reason)


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": Scope.ALL, "reason": "boredom"},
        {"scope": Scope.LIST, "reason": Reason.HARD},
        {"scope": "some", "reason": Reason.HARD},
    ],
)
@pytest.mark.requirement("S4")
def test_a_suppression_needs_a_known_reason_and_scope(fields: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Suppression.objects.create(address_hash=b"x" * 32, at=NOW, **fields)


def test_staff_lift_with_a_written_reason_only_and_it_is_on_record() -> None:
    weekly = make_list()
    person = make_member(weekly)
    suppress(address_hash=bytes(person.address_hash), reason=Reason.HARD, now=NOW, by="kim@charity.example")
    suppression = Suppression.objects.get()
    with pytest.raises(CannotRemoveSuppression, match="Write why"):
        remove_suppression(suppression=suppression, by="kim@charity.example", reason=" ", now=NOW)
    remove_suppression(suppression=suppression, by="kim@charity.example", reason="The mailbox is back.", now=NOW)
    with pytest.raises(CannotRemoveSuppression, match="removed already"):
        remove_suppression(suppression=suppression, by="kim@charity.example", reason="Again.", now=NOW)
    assert kinds() == ["suppressed", "lifted"]
    assert ConsentEvent.objects.get(kind="lifted").wording == "The mailbox is back."


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBE, Reason.ERASURE])
def test_staff_cannot_undo_a_persons_own_no(reason: Reason) -> None:
    suppress(address_hash=identify("ada@example.org"), reason=reason, now=NOW)
    with pytest.raises(CannotRemoveSuppression, match="Only they can undo it"):
        remove_suppression(suppression=Suppression.objects.get(), by="kim", reason="They rang.", now=NOW)


@pytest.mark.requirement("U4")
def test_unsubscribing_twice_counts_once() -> None:
    weekly = make_list()
    person = make_member(weekly)
    assert unsubscribe_from_list(subscriber=person, mailing_list=weekly, now=NOW)
    assert not unsubscribe_from_list(subscriber=person, mailing_list=weekly, now=NOW + timedelta(days=1))
    assert kinds() == ["left"]
    ended = Subscription.objects.get()
    assert (ended.ended_at, ended.end_reason) == (NOW, EndReason.UNSUBSCRIBE)


@pytest.mark.requirement("U9")
def test_unsubscribing_ends_one_list_or_all_lists_as_asked() -> None:
    weekly, events = make_list(), make_list("events")
    person = make_member(weekly)
    subscribe(person, events)
    unsubscribe_from_list(subscriber=person, mailing_list=weekly, now=NOW)
    assert [one.mailing_list for one in Subscription.objects.mailable()] == [events]
    assert unsubscribe_from_all(subscriber=person, now=NOW)
    assert not unsubscribe_from_all(subscriber=person, now=NOW)
    assert not Subscription.objects.open().exists()
    assert set(Suppression.objects.values_list("scope", "reason")) == {("list", "unsubscribe"), ("all", "unsubscribe")}
    assert kinds() == ["left", "left_all"]


def test_someone_who_left_and_came_back_can_leave_again() -> None:
    weekly = make_list()
    person = make_member(weekly)
    unsubscribe_from_list(subscriber=person, mailing_list=weekly, now=NOW)
    ask(weekly)
    confirm(weekly)
    assert unsubscribe_from_list(subscriber=person, mailing_list=weekly, now=NOW)
    assert kinds() == ["left", "requested", "confirmed", "left"]


@pytest.mark.requirement("P1")
def test_proof_of_consent_can_be_neither_changed_nor_deleted() -> None:
    weekly = make_list()
    ask(weekly)
    event = ConsentEvent.objects.get()
    for attempt in (event.save, event.delete, ConsentEvent.objects.all().delete):
        with pytest.raises(AppendOnly):
            attempt()
    with pytest.raises(AppendOnly):
        ConsentEvent.objects.update(wording="something else")
    assert ConsentEvent.objects.get().wording == "Send me it."


@pytest.mark.requirement("P6")
def test_an_erased_person_leaves_a_keyed_hash_and_no_word() -> None:
    weekly = make_list()
    ask(weekly, name="Ada Lee")
    batch = ImportBatch.objects.create(mailing_list=weekly, basis="consent", evidence="x", by="kim", started_at=NOW)
    ImportRefusal.objects.create(batch=batch, line=2, raw="ada@example.org,Ada,Lee", reason="too many values")
    erase_person(subscriber=find_person("ADA@example.org"), by="kim@charity.example", now=NOW)
    for model in (Subscriber, Subscription, Confirmation, ImportRefusal):
        assert not model.objects.exists()
    left = Suppression.objects.get()
    assert (bytes(left.address_hash), left.reason, left.scope) == (identify("ada@example.org"), "erasure", "all")
    assert list(ConsentEvent.objects.order_by("pk").values_list("kind", "subscriber")) == [
        ("requested", None),
        ("erased", None),
    ]


@pytest.mark.requirement("V9")
def test_no_person_prints_with_their_address() -> None:
    weekly = make_list()
    ask(weekly)
    for row in (Subscriber.objects.get(), Subscription.objects.get(), Confirmation.objects.get()):
        assert "ada@example.org" not in str(row)
        assert "a•••@e•••.org" in str(row)


def test_preferences_are_saved_once_and_put_on_record() -> None:
    weekly = make_list()
    person = make_member(weekly)
    topic = Topic.objects.create(slug="land", name="Land")
    place = get_location_row(locate(town="London, GB"))
    choice = {"topics": [topic], "language": "fr", "place": place, "now": NOW}
    assert save_preferences(subscriber=person, **choice)
    assert not save_preferences(subscriber=person, **choice)
    person.refresh_from_db()
    assert (person.language, person.place, list(person.topics.all())) == ("fr", place, [topic])
    assert kinds() == ["preferences"]


def test_lists_are_left_at_once_and_joined_by_mail() -> None:
    weekly, events = make_list(), make_list("events")
    person = make_member(weekly)
    waiting = choose_lists(subscriber=person, offered=[weekly, events], chosen=[events], wording="Chosen.", now=NOW)
    assert waiting == [events]
    assert not Subscription.objects.mailable().exists()
    assert [one.mailing_list for one in list_due_confirmations(now=NOW)] == [events]


def test_unknown_parts_of_a_location_are_left_out_and_reported() -> None:
    found = locate(country="GB", region="Texas", town="London")
    assert (found.country, found.region, found.town) == ("GB", "GB-ENG", "London")
    assert "Texas" in found.note
    assert locate(country="Narnia").note
    assert locate(region="US-TX").country == "US"
    assert not locate(country="GB", region="US-TX").region
    assert locate(town="Springfield").ambiguous


def test_one_place_is_one_row_and_no_finer_than_a_kilometre() -> None:
    first = get_location_row(
        Location(country="us", region="us-tx", town="Houston", latitude=29.7633, longitude=-95.3671)
    )
    second = get_location_row(
        Location(country="US", region="US-TX", town="Houston", latitude=29.7589, longitude=-95.3677)
    )
    assert first == second
    assert first.key == "US|US-TX|Houston|29.76|-95.37"
    assert (first.latitude, str(first)) == (29.76, "Houston, Texas, United States")
    assert str(SubscriberLocation()) == ""


def test_everything_held_about_a_person_can_be_said() -> None:
    weekly = make_list()
    ask(weekly, name="Ada", place=get_location_row(locate(town="London, GB")))
    unsubscribe_from_list(subscriber=find_person("ada@example.org"), mailing_list=weekly, now=NOW)
    said = describe_person(find_person(" ADA@example.org"), now=NOW)
    assert (said["name"], said["country"], said["region"], said["city"]) == ("Ada", "GB", "GB-ENG", "London")
    assert [(one["list"], one["end_reason"], one["mailable"]) for one in said["subscriptions"]] == [
        ("weekly", "unsubscribe", False)
    ]
    assert [one["reason"] for one in said["suppressions"]] == ["unsubscribe"]
    assert [one["kind"] for one in said["consent"]] == ["requested", "left"]
    with pytest.raises(UnknownPerson):
        find_person("nobody@example.org")


def test_an_address_gets_its_whole_quota_back_after_it_confirmed() -> None:
    weekly, person = make_list(), make_person()
    assert queue_confirmation(subscriber=person, mailing_list=weekly, now=NOW)
    assert not queue_confirmation(subscriber=person, mailing_list=weekly, now=NOW + timedelta(days=2))
    assert Confirmation.objects.count() == 1


def test_requests_that_were_never_mailed_leave_the_limit_after_their_week() -> None:
    weekly = make_list()
    for number, day in enumerate((0, 2, 4)):
        assert ask(make_list(f"unsent-{number}"), now=NOW + timedelta(days=day)) is SignupResult.ASKED
    assert ask(weekly, now=NOW + timedelta(days=6)) is SignupResult.WAITING
    later = NOW + timedelta(days=20)
    assert ask(weekly, now=later) is SignupResult.ASKED
    assert list_due_confirmations(now=later).get().mailing_list == weekly
    assert ConfirmationQuota.objects.get().request_count == 1


def test_requests_that_were_mailed_stay_in_the_limit_after_their_week() -> None:
    weekly = make_list()
    for number, day in enumerate((0, 2, 4)):
        asked_at = NOW + timedelta(days=day)
        ask(make_list(f"sent-{number}"), now=asked_at)
        assert Confirmation.objects.latest("pk").claim(now=asked_at)
    assert ask(weekly, now=NOW + timedelta(days=20)) is SignupResult.WAITING
    assert Confirmation.objects.count() == 3


def test_an_unsent_request_from_before_a_confirmation_is_not_given_back() -> None:
    weekly, unsent, third = make_list(), make_list("unsent"), make_list("third")
    ask(unsent)
    ask(weekly, now=NOW + timedelta(days=2))
    confirm(weekly, now=NOW + timedelta(days=3))
    assert ask(third, now=NOW + timedelta(days=4)) is SignupResult.ASKED
    ask(make_list("fourth"), now=NOW + timedelta(days=9))
    assert not Confirmation.objects.filter(mailing_list=unsent).exists()
    assert ConfirmationQuota.objects.get().request_count == 2


@pytest.mark.parametrize("how", ["erased", "merged", "taken off"])
def test_a_person_whose_unsent_confirmation_is_deleted_can_ask_again(how: str) -> None:
    weekly = make_list()
    ask(weekly, "ada@example.org")
    ask(weekly, "bea@example.org")
    bea = find_person("bea@example.org")
    if how == "erased":
        erase_person(subscriber=bea, by="", now=NOW)
    elif how == "merged":
        merge_people(keep=find_person("ada@example.org"), absorb=bea, now=NOW)
    else:
        take_off_list(people=[bea.pk], mailing_list=weekly, by="kim", now=NOW)
    due = Confirmation.objects.unsent().filter(subscriber__email="bea@example.org")
    assert not due.exists()
    assert ask(weekly, "bea@example.org", now=NOW + timedelta(minutes=5)) is SignupResult.ASKED
    assert due.exists()


def test_a_sent_confirmation_still_counts_after_the_person_is_taken_off() -> None:
    weekly = make_list()
    ask(weekly)
    Confirmation.objects.get().claim(now=NOW)
    take_off_list(people=[find_person("ada@example.org").pk], mailing_list=weekly, by="kim", now=NOW)
    ask(weekly, now=NOW + timedelta(minutes=5))
    assert not Confirmation.objects.unsent().exists()
