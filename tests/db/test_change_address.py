"""Change of address and merging. Nothing is lost and nobody's mail is hijacked."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from newsletter.common.errors import BadAddress
from newsletter.common.translation import translate
from subscribers.audience.eligibility import eligible
from subscribers.confirmation_quota import CONFIRMATION_QUOTA_RETENTION, use_confirmation_quota
from subscribers.consent.confirmations import list_due_confirmations
from subscribers.consent.signup import ConfirmationResult, SignupRequest, confirm_subscription, request_subscription
from subscribers.erasing import retention
from subscribers.erasing.erasure import erase_person
from subscribers.erasing.retention import purge_expired_data
from subscribers.identity import identify
from subscribers.links.signed_links import LinkTarget, Purpose, read_link
from subscribers.models import (
    Confirmation,
    ConfirmationQuota,
    ConsentEvent,
    EndReason,
    FormerIdentity,
    Frequency,
    HeldSignup,
    MailedLink,
    MailingList,
    Reason,
    Subscriber,
    Subscription,
    Suppression,
    Topic,
)
from subscribers.people.change_address import (
    CannotAskNewAddress,
    NewAddressSuppressed,
    SameAddress,
    confirm_address_change,
    request_address_change,
    request_correction,
)
from subscribers.people.describe_person import describe_person
from subscribers.people.locations import Location, get_location_row
from subscribers.people.mailed_links import (
    MAX_LINKS_PER_DAY,
    REQUEST_INTERVAL,
    Kind,
    UsedLink,
    find_link,
    list_due_links,
    make_mailed_link_url,
    mark_link_used,
    request_mailed_link,
)
from subscribers.people.merge import merge_people
from subscribers.segments.attributes import read_attributes, write_attributes
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.people import NOW, make_list, make_member, make_person, subscribe

pytestmark = [pytest.mark.postgres, pytest.mark.django_db, pytest.mark.requirement("V9")]
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


def ask(person: Subscriber, mailing_list: MailingList, kind: str, new_email: str = "") -> MailedLink:
    assert request_mailed_link(
        subscriber=person, mailing_list=mailing_list, kind=Kind(kind), now=NOW, new_email=new_email
    )
    return MailedLink.objects.get(subscriber=person, kind=kind)


def move(person: Subscriber, mailing_list: MailingList, email: str) -> Subscriber:
    """The whole way: asked from the old mailbox, named, confirmed in the new one."""
    request_address_change(link=ask(person, mailing_list, "move"), email=email, now=NOW)
    return confirm_address_change(link=MailedLink.objects.get(kind="arrive"), now=LATER)


def test_a_person_moves_with_all_that_they_chose(weekly: MailingList) -> None:
    ada = make_member(weekly, name="Ada")
    Subscription.objects.update(frequency=Frequency.MONTHLY)
    move(ada, weekly, " New@Example.org ")
    ada = Subscriber.objects.get()
    assert (ada.email, bytes(ada.address_hash), ada.name) == ("New@example.org", identify("New@example.org"), "Ada")
    assert eligible(mailing_list=weekly, now=LATER, frequencies={Frequency.MONTHLY}).get().subscriber == ada
    assert ConsentEvent.objects.filter(kind="moved", subscriber=ada).count() == 1


@pytest.mark.requirement("P5")
def test_a_moved_persons_record_has_the_old_addresss_consent(weekly: MailingList) -> None:
    request_subscription(
        SignupRequest(email="ada@example.org", mailing_list=weekly, wording="Send me it.", source="page"), now=NOW
    )
    ada = move(Subscriber.objects.get(), weekly, "new@example.org")
    held = describe_person(ada, now=LATER)["consent"]
    assert [event["kind"] for event in held] == ["requested", "moved"]  # type: ignore[attr-defined]


def test_nothing_changes_before_the_new_mailbox_says_yes(weekly: MailingList) -> None:
    ada = make_member(weekly)
    request_address_change(link=ask(ada, weekly, "move"), email="new@example.org", now=NOW)
    assert Subscriber.objects.get().email == "ada@example.org"
    assert [(one.kind, one.new_email) for one in list_due_links(now=NOW)] == [
        ("move", ""),
        ("arrive", "new@example.org"),
    ]


@pytest.mark.parametrize(("email", "error"), [("ADA@example.org", SameAddress), ("nonsense", BadAddress)])
def test_an_invalid_new_address_can_be_corrected(weekly: MailingList, email: str, error: type[Exception]) -> None:
    link = ask(make_member(weekly), weekly, "move")
    with pytest.raises(error):
        request_address_change(link=link, email=email, now=NOW)
    assert request_address_change(link=link, email="new@example.org", now=NOW) == "new@example.org"


@pytest.mark.requirement("A2")
def test_a_stranger_named_as_new_address_gets_one_mail_a_day(weekly: MailingList) -> None:
    for number in range(5):
        person = make_member(weekly, f"person{number}@example.org")
        request_address_change(link=ask(person, weekly, "move"), email=f"Victim+{number}@example.com", now=NOW)
    assert MailedLink.objects.filter(kind="arrive").count() == 1


@pytest.mark.parametrize("how", ["asked again", "corrected by staff", "purged"])
def test_a_mail_that_was_never_sent_leaves_the_quota_of_the_new_address(weekly: MailingList, how: str) -> None:
    """The provider was unreachable for an hour, which is as long as such a mail waits."""
    ada, again = make_member(weekly), NOW + timedelta(hours=2)
    request_address_change(link=ask(ada, weekly, "move"), email="new@example.org", now=NOW)
    if how == "asked again":
        MailedLink.objects.filter(kind="move").update(used_at=None)
        request_address_change(link=MailedLink.objects.get(kind="move"), email="new@example.org", now=again)
    elif how == "corrected by staff":
        request_correction(person=ada, email="new@example.org", now=again)
    else:
        purge_expired_data(now=again)
        bea = make_member(weekly, "bea@example.org")
        request_correction(person=bea, email="new@example.org", now=again)
    assert MailedLink.objects.get(kind="arrive").asked_at == again
    assert ConfirmationQuota.objects.get().request_count == 1
    assert not use_confirmation_quota("new@example.org", now=again + timedelta(hours=23))


def test_a_purge_forgets_every_mail_that_was_not_sent_in_time(
    weekly: MailingList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH_SIZE", 1)
    ages = [timedelta(minutes=59), timedelta(hours=1), timedelta(days=3), timedelta(days=8)]
    for number, age in enumerate(ages):
        person = make_member(weekly, f"person{number}@example.org")
        request_correction(person=person, email=f"new{number}@example.org", now=NOW - age)
    purge_expired_data(now=NOW)
    assert MailedLink.objects.get().new_email == "new0@example.org"
    free = [use_confirmation_quota(f"new{number}@example.org", now=NOW) for number in range(len(ages))]
    assert free == [False, True, True, True]
    assert set(ConfirmationQuota.objects.values_list("request_count", flat=True)) == {1}


def test_a_mail_that_was_sent_stays_in_the_quota_of_the_new_address(weekly: MailingList) -> None:
    ada = make_member(weekly)
    request_address_change(link=ask(ada, weekly, "move"), email="new@example.org", now=NOW)
    assert MailedLink.objects.get(kind="arrive").claim(now=NOW)
    for hours in (2, 20):
        with pytest.raises(CannotAskNewAddress):
            request_correction(person=ada, email="new@example.org", now=NOW + timedelta(hours=hours))
    assert MailedLink.objects.get(kind="arrive").asked_at == NOW


def test_a_correction_whose_mail_waits_says_when_to_try_again(weekly: MailingList) -> None:
    ada, bea = make_member(weekly), make_member(weekly, "bea@example.org")
    request_correction(person=ada, email="new@example.org", now=NOW)
    for person, minutes in ((ada, 59), (bea, 59), (bea, 61)):
        with pytest.raises(CannotAskNewAddress, match=r"is waiting to be sent already\..* try again in two hours\."):
            request_correction(person=person, email="new@example.org", now=NOW + timedelta(minutes=minutes))
    purge_expired_data(now=NOW + timedelta(hours=2))
    request_correction(person=bea, email="new@example.org", now=NOW + timedelta(hours=2))
    assert MailedLink.objects.get(kind="arrive").claim(now=NOW + timedelta(hours=2))
    said = refuse(bea, "new@example.org", now=NOW + timedelta(hours=3))
    assert said.endswith("Try again after this time: 6 Mar 2026, 11:00. The person keeps the old address.")


def refuse(person: Subscriber, email: str, *, now: datetime) -> str:
    """Return why this correction cannot be asked for."""
    with pytest.raises(CannotAskNewAddress) as refused:
        request_correction(person=person, email=email, now=now)
    return translate(refused.value)


def test_a_waiting_mail_to_another_spelling_of_the_mailbox_counts(weekly: MailingList) -> None:
    ada, bea = make_member(weekly), make_member(weekly, "bea@example.org")
    request_correction(person=ada, email="new@bücher.example.com", now=NOW)
    assert "try again in two hours" in refuse(bea, " NEW@XN--BCHER-KVA.example.com", now=NOW)


def test_a_waiting_mail_of_ones_own_does_not_delay_another_mailbox(weekly: MailingList) -> None:
    """Two hours would be wrong: the other mailbox got its mail, and gets none for a day."""
    ada, bea = make_member(weekly), make_member(weekly, "bea@example.org")
    request_correction(person=bea, email="asked@example.org", now=NOW)
    assert MailedLink.objects.get().claim(now=NOW)
    request_correction(person=ada, email="other@example.org", now=LATER)
    assert "Try again after this time: 6 Mar 2026, 09:00" in refuse(ada, "asked@example.org", now=LATER)
    request_correction(person=bea, email="asked@example.org", now=NOW + timedelta(hours=24))


def test_three_unanswered_mails_name_the_day_and_another_way(weekly: MailingList) -> None:
    ada = make_member(weekly)
    for day in range(3):
        at = NOW + timedelta(days=day)
        request_correction(person=ada, email="new@example.org", now=at)
        assert MailedLink.objects.unsent().get().claim(now=at)
    last = NOW + timedelta(days=2)
    said = refuse(ada, "new@example.org", now=last + timedelta(days=3))
    assert "Nobody confirmed the 3 mails that this mailbox got, so it gets no other until 3 Sep 2026." in said
    assert "choose Subscribers → Add people" in said
    on_that_day = last + CONFIRMATION_QUOTA_RETENTION
    assert "gets no other until" in refuse(ada, "new@example.org", now=on_that_day - timedelta(days=2))
    purge_expired_data(now=on_that_day + timedelta(minutes=1))
    request_correction(person=ada, email="new@example.org", now=on_that_day + timedelta(minutes=1))


def test_a_new_address_that_is_replaced_before_its_mail_keeps_its_quota(weekly: MailingList) -> None:
    ada = make_member(weekly)
    request_correction(person=ada, email="wrong@example.org", now=NOW)
    request_correction(person=ada, email="right@example.org", now=LATER)
    assert MailedLink.objects.get(kind="arrive").new_email == "right@example.org"
    assert use_confirmation_quota("wrong@example.org", now=LATER)


@pytest.mark.parametrize("how", ["merged", "erased"])
def test_the_end_of_a_record_gives_back_the_quota_of_its_unsent_mail(weekly: MailingList, how: str) -> None:
    ada, bea = make_member(weekly), make_member(weekly, "bea@example.org")
    request_correction(person=bea, email="new@example.org", now=NOW)
    if how == "merged":
        merge_people(keep=ada, absorb=bea, now=LATER)
    else:
        erase_person(subscriber=bea, by="", now=LATER)
    request_correction(person=ada, email="new@example.org", now=LATER)
    assert ConfirmationQuota.objects.get().request_count == 1


def test_a_person_over_their_limit_uses_no_quota_of_the_new_address(weekly: MailingList) -> None:
    ada = make_member(weekly)
    for number in range(MAX_LINKS_PER_DAY):
        MailedLink.objects.create(
            subscriber=ada, mailing_list=weekly, kind="arrive", new_email=f"a{number}@b.org", asked_at=NOW, sent_at=NOW
        )
    request_address_change(link=ask(ada, weekly, "move"), email="new@example.org", now=LATER)
    assert MailedLink.objects.filter(kind="arrive").count() == MAX_LINKS_PER_DAY
    assert use_confirmation_quota("new@example.org", now=LATER)


@pytest.mark.parametrize("reason", [Reason.HARD, Reason.STAFF, Reason.LEGAL, Reason.SOFT_LIMIT])
@pytest.mark.requirement("S5")
def test_a_move_cannot_reach_an_address_that_must_not_be_mailed(weekly: MailingList, reason: Reason) -> None:
    ada = make_member(weekly)
    suppress(address_hash=identify("new@example.org"), reason=reason, now=NOW)
    request_address_change(link=ask(ada, weekly, "move"), email="new@example.org", now=NOW)
    assert not MailedLink.objects.filter(kind="arrive").exists()
    late = ask(ada, weekly, "arrive", "new@example.org")
    with pytest.raises(NewAddressSuppressed), transaction.atomic():
        confirm_address_change(link=late, now=NOW)
    assert Subscriber.objects.get().email == "ada@example.org"
    assert MailedLink.objects.get(pk=late.pk).used_at is None


@pytest.mark.requirement("S5")
def test_lists_that_either_address_unsubscribed_from_stay_ended(weekly: MailingList) -> None:
    events, news = make_list("events"), make_list("news")
    ada = make_member(weekly)
    subscribe(ada, events)
    subscribe(ada, news)
    unsubscribe_from_list(subscriber=ada, mailing_list=events, now=NOW)
    suppress(address_hash=identify("new@example.org"), reason=Reason.UNSUBSCRIBE, mailing_list=news, now=NOW)
    move(ada, weekly, "new@example.org")
    assert eligible(mailing_list=weekly, now=LATER).count() == 1
    assert not eligible(mailing_list=events, now=LATER).exists()
    assert not eligible(mailing_list=news, now=LATER).exists()
    carried = Suppression.objects.filter(address_hash=identify("new@example.org"), mailing_list=events)
    assert carried.get().note.startswith("carried over")


def test_a_report_as_spam_is_the_reason_why_a_list_ends(weekly: MailingList) -> None:
    new = identify("new@example.org")
    suppress(address_hash=new, reason=Reason.UNSUBSCRIBE, mailing_list=weekly, now=NOW)
    suppress(address_hash=new, reason=Reason.COMPLAINT, now=NOW)
    move(make_member(weekly), weekly, "new@example.org")
    assert Subscription.objects.get().end_reason == "complaint"


def test_a_list_left_by_one_address_can_be_joined_again(weekly: MailingList) -> None:
    news, ada = make_list("news"), make_member(weekly)
    subscribe(ada, news)
    unsubscribe_from_list(subscriber=ada, mailing_list=news, now=NOW)
    make_member(news, "new@example.org")
    ada = move(ada, weekly, "new@example.org")
    assert [row.mailing_list for row in Subscription.objects.open()] == [weekly]
    later = LATER + timedelta(days=1)
    request_subscription(
        SignupRequest(email=ada.email, mailing_list=news, wording="Send me it.", source="page"), now=later
    )
    assert [row.mailing_list for row in list_due_confirmations(now=later)] == [news]


def test_a_confirmation_mailed_before_two_people_became_one_still_confirms(weekly: MailingList) -> None:
    news, ada = make_list("news"), make_member(weekly)
    other = make_person("new@example.org")
    subscribe(other, news, basis="consent_double_opt_in", evidence="")
    target = LinkTarget(other.uuid, news.public_id, NOW)
    move(ada, weekly, "new@example.org")
    assert confirm_subscription(target=target, now=LATER) is ConfirmationResult.NOW
    assert eligible(mailing_list=news, now=LATER).get().subscriber == ada


def test_bounces_of_the_old_mailbox_do_not_move(weekly: MailingList) -> None:
    ada = make_member(weekly)
    link = ask(ada, weekly, "arrive", "new@example.org")
    suppress(address_hash=bytes(ada.address_hash), reason=Reason.SOFT_LIMIT, now=NOW)
    confirm_address_change(link=link, now=LATER)
    assert eligible(mailing_list=weekly, now=LATER).count() == 1


@pytest.mark.requirement("F15")
def test_moving_to_an_address_that_is_known_makes_one_person_of_two(weekly: MailingList) -> None:
    events = make_list("events")
    ada = make_member(weekly, language="es")
    other = make_person("new@example.org", name="Ada", giving="monthly", created_at=NOW - timedelta(days=400))
    other.place = get_location_row(Location(country="GB", region="GB-ENG", town="Leeds"))
    other.save()
    subscribe(other, weekly)
    subscribe(other, events)
    other.topics.add(Topic.objects.create(slug="land", name="Land"))
    write_attributes([(other.pk, {"membership": "Gold", "region": "North"})])
    write_attributes([(ada.pk, {"region": "South"})])
    move(ada, weekly, "new@example.org")
    one = Subscriber.objects.get()
    assert (one.pk, one.email, one.name, one.giving, one.language) == (
        ada.pk,
        "new@example.org",
        "Ada",
        "monthly",
        "es",
    )
    assert (str(one.place), one.created_at) == ("Leeds, England, United Kingdom", NOW - timedelta(days=400))
    assert [topic.slug for topic in one.topics.all()] == ["land"]
    assert read_attributes(one) == {"membership": "Gold", "region": "South"}
    assert {row.mailing_list for row in Subscription.objects.mailable()} == {weekly, events}
    assert Subscription.objects.get(end_reason=EndReason.MERGED).ended_at == LATER
    assert FormerIdentity.objects.get().uuid == other.uuid


def test_merging_keeps_proof_and_the_subscription_that_may_be_mailed(weekly: MailingList) -> None:
    ada = make_person()
    subscribe(ada, weekly, basis="consent_double_opt_in", frequency=Frequency.MONTHLY)
    bea = make_member(weekly, "bea@example.org")
    unsubscribe_from_list(subscriber=bea, mailing_list=make_list("events"), now=NOW)
    merge_people(keep=ada, absorb=bea, now=LATER)
    kept = Subscription.objects.open().get()
    assert (kept.subscriber, kept.basis, kept.frequency) == (ada, "consent", Frequency.MONTHLY)
    assert {event.subscriber for event in ConsentEvent.objects.all()} == {ada}
    carl = make_member(weekly, "carl@example.org")
    merge_people(keep=carl, absorb=ada, now=LATER)
    assert FormerIdentity.objects.filter(subscriber=carl).count() == 2


def test_mails_that_ask_to_confirm_outlive_a_merge_once_for_each_list(weekly: MailingList) -> None:
    ada, bea, events = make_person(), make_person("bea@example.org"), make_list("events")
    for person, lists in ((ada, [weekly]), (bea, [weekly, events])):
        for mailing_list in lists:
            subscribe(person, mailing_list, basis="consent_double_opt_in")
            Confirmation.objects.create(subscriber=person, mailing_list=mailing_list, requested_at=NOW)
    merge_people(keep=ada, absorb=bea, now=LATER)
    due = list_due_confirmations(now=LATER)
    assert {(one.subscriber, one.mailing_list) for one in due} == {(ada, weekly), (ada, events)}


@pytest.mark.requirement("K3")
def test_a_mailed_link_works_once(weekly: MailingList) -> None:
    link = ask(make_member(weekly), weekly, "download")
    target = read_link(make_mailed_link_url(link=link, now=NOW).rsplit("/", 1)[1], purpose=Purpose.DOWNLOAD, now=NOW)
    assert find_link(target, kind=Kind.DOWNLOAD) == link
    with pytest.raises(UsedLink):
        find_link(target, kind=Kind.ERASE)
    mark_link_used(link, now=NOW)
    with pytest.raises(UsedLink):
        mark_link_used(link, now=NOW)
    with pytest.raises(UsedLink):
        find_link(target, kind=Kind.DOWNLOAD)


def test_links_are_mailed_now_and_then_and_not_without_end(weekly: MailingList) -> None:
    ada = make_member(weekly)
    moments = [NOW + REQUEST_INTERVAL * number / 2 for number in range(2 * MAX_LINKS_PER_DAY + 4)]
    asked = []
    for moment in moments:
        asked.append(request_mailed_link(subscriber=ada, mailing_list=weekly, kind=Kind.ERASE, now=moment))
        MailedLink.objects.update(sent_at=moment)
    assert asked == [True, False] * MAX_LINKS_PER_DAY + [False] * 4
    assert MailedLink.objects.count() == MAX_LINKS_PER_DAY
    assert request_mailed_link(subscriber=ada, mailing_list=weekly, kind=Kind.DOWNLOAD, now=moments[-1])


def test_a_mailed_link_is_claimed_by_one_sender_and_an_old_one_is_not_sent(weekly: MailingList) -> None:
    link = ask(make_member(weekly), weekly, "erase")
    assert list(list_due_links(now=NOW + timedelta(minutes=59))) == [link]
    assert not list_due_links(now=NOW + timedelta(minutes=61)).exists()
    assert [link.claim(now=NOW) for _ in range(2)] == [True, False]
    assert not list_due_links(now=NOW).exists()


@pytest.mark.requirement("S1")
def test_no_link_is_mailed_to_an_address_that_must_not_be_mailed(weekly: MailingList) -> None:
    ada = make_member(weekly)
    ask(ada, weekly, "erase")
    suppress(address_hash=bytes(ada.address_hash), reason=Reason.HARD, now=NOW)
    assert not list_due_links(now=NOW).exists()


def test_a_block_of_one_list_stops_no_mail_with_a_link(weekly: MailingList) -> None:
    ada = make_member(weekly)
    suppress(address_hash=bytes(ada.address_hash), reason=Reason.STAFF, mailing_list=weekly, now=NOW)
    assert request_mailed_link(subscriber=ada, mailing_list=weekly, kind=Kind.ERASE, now=NOW)
    assert list_due_links(now=NOW).get().subscriber == ada


def test_a_link_to_nowhere_cannot_be_stored(weekly: MailingList) -> None:
    ada = make_member(weekly)
    for kind, new_email in (("arrive", ""), ("move", "new@example.org"), ("other", "")):
        with pytest.raises(IntegrityError), transaction.atomic():
            MailedLink.objects.create(subscriber=ada, mailing_list=weekly, kind=kind, new_email=new_email, asked_at=NOW)


def test_staff_correct_an_address_and_the_person_confirms_it(weekly: MailingList) -> None:
    ada = make_member(weekly, name="Ada")
    suppress(address_hash=bytes(ada.address_hash), reason=Reason.HARD, now=NOW)
    request_correction(person=ada, email=" Ada@Gmail.com ", now=NOW)
    link = list_due_links(now=LATER).get()
    assert (link.new_email, link.mailing_list) == ("Ada@gmail.com", weekly)
    assert Subscriber.objects.get().email == "ada@example.org"
    assert link.claim(now=LATER)
    url = make_mailed_link_url(link=link, now=LATER)
    target = read_link(url.rsplit("/", 1)[1], purpose=Purpose.CONFIRM_ADDRESS, now=LATER + timedelta(days=6))
    confirm_address_change(link=find_link(target, kind=Kind.CONFIRM_ADDRESS), now=LATER + timedelta(days=6))
    assert eligible(mailing_list=weekly, now=LATER).get().subscriber.email == "Ada@gmail.com"


def test_a_correction_that_cannot_be_asked_says_why_and_asks_nothing(weekly: MailingList) -> None:
    ada, stranger = make_member(weekly), make_person("stranger@example.org")
    suppress(address_hash=identify("stopped@example.org"), reason=Reason.STAFF, now=NOW)
    with pytest.raises(BadAddress):
        request_correction(person=ada, email="ada@", now=NOW)
    with pytest.raises(SameAddress):
        request_correction(person=ada, email="ADA@example.org", now=NOW)
    with pytest.raises(NewAddressSuppressed, match="no mail may go to it"):
        request_correction(person=ada, email="stopped@example.org", now=NOW)
    with pytest.raises(CannotAskNewAddress, match="never on a list"):
        request_correction(person=stranger, email="new@example.org", now=NOW)
    assert not MailedLink.objects.exists()


def test_a_corrected_address_is_asked_a_few_times_a_day_at_most(weekly: MailingList) -> None:
    ada = make_member(weekly)
    for number in range(MAX_LINKS_PER_DAY):
        request_correction(person=ada, email=f"ada{number}@example.org", now=NOW)
        assert list_due_links(now=NOW).get().claim(now=NOW)
    assert "Try again after this time: 6 Mar 2026, 09:00." in refuse(ada, "one.more@example.org", now=NOW)
    request_correction(person=ada, email="one.more@example.org", now=NOW + timedelta(days=1))


def test_unsent_mails_that_are_replaced_do_not_count_towards_a_day(weekly: MailingList) -> None:
    ada = make_member(weekly)
    for number in range(2 * MAX_LINKS_PER_DAY):
        request_correction(person=ada, email=f"ada{number}@example.org", now=NOW)
    assert MailedLink.objects.get().new_email == f"ada{2 * MAX_LINKS_PER_DAY - 1}@example.org"


def list_erased() -> set[bytes]:
    erased = Suppression.objects.live().filter(reason=Reason.ERASURE, mailing_list=None)
    return {bytes(address_hash) for address_hash in erased.values_list("address_hash", flat=True)}


def join(email: str, mailing_list: MailingList) -> Subscriber:
    request = SignupRequest(email=email, mailing_list=mailing_list, wording="Send me it.", source="page")
    request_subscription(request, now=NOW)
    return Subscriber.objects.get(address_hash=identify(email))


@pytest.mark.requirement("P6")
def test_an_erasure_suppresses_every_address_that_the_person_had(weekly: MailingList) -> None:
    """They joined at two addresses, became one person, and moved to a third address."""
    first, second = join("first@example.org", weekly), join("second@example.org", weekly)
    merge_people(keep=first, absorb=second, now=NOW)
    HeldSignup.objects.create(
        email="second@example.org",
        address_hash=identify("second@example.org"),
        mailing_list=weekly,
        wording="Send me it.",
        reason="many sign-ups",
        at=NOW,
    )
    moved = move(first, weekly, "third@example.org")
    erase_person(subscriber=moved, by="kim", now=LATER)
    had = {identify(f"{name}@example.org") for name in ("first", "second", "third")}
    assert list_erased() == had
    erased = ConsentEvent.objects.filter(kind=ConsentEvent.Kind.ERASED)
    assert {bytes(event.address_hash) for event in erased} == had
    assert not HeldSignup.objects.exists()
    assert not ConsentEvent.objects.filter(subscriber__isnull=False).exists()


@pytest.mark.requirement("P6")
def test_an_erasure_leaves_an_old_address_that_is_now_anothers(weekly: MailingList) -> None:
    ada = move(join("desk@example.org", weekly), weekly, "ada@example.org")
    successor = make_member(weekly, "desk@example.org")
    erase_person(subscriber=ada, by="kim", now=LATER)
    assert list_erased() == {identify("ada@example.org")}
    assert eligible(mailing_list=weekly, now=LATER).get().subscriber == successor
