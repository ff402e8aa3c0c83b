"""API calls about people. Addresses come in the body, because paths end up in logs."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from wagtail.log_actions import log

from newsletter.api.access import ApiKeyAuth, label_caller
from newsletter.api.schemas import (
    Address,
    PeopleChange,
    PeopleChanged,
    RowAnswer,
    SignedUp,
    SignUp,
    Stop,
    Stopped,
)
from newsletter.common.errors import NotFound
from newsletter.models import ApiKey
from subscribers.addresses.normalise import normalise
from subscribers.consent.process_signup import process_signup
from subscribers.consent.proof_of_work import Proof
from subscribers.identity import identify
from subscribers.models import HeldSignup, MailingList, Subscriber, Topic
from subscribers.people.bulk_update import Outcome, PersonUpdate, update_people
from subscribers.people.locations import get_place_for, locate
from subscribers.people.lookup import describe_person, find_person
from subscribers.unsubscribing.stop_mail import stop_mail

router = Router(auth=ApiKeyAuth("people"), tags=["people"])
SIGN_UP_ANSWER = "Thank you. Unless the address is already on the list, it will get an email with a button to confirm."


@router.post("sign-ups", response={202: SignedUp}, summary="Sign somebody up")
def sign_up(request: HttpRequest, data: SignUp) -> dict[str, str]:
    """Sign a person up for a list.

    The limits and the confirmation email are those of the newsletter's own sign-up page. The answer is the same for
    everybody.
    """
    key, email, mailing_list = _get_key(request), normalise(data.email), _find_list(data.list, public=True)
    process_signup(
        email=email,
        mailing_list=mailing_list,
        wording=data.wording,
        source=f"{label_caller(key)} {data.page}".strip(),
        client=data.visitor,
        proof=Proof.GOOD,
        must_confirm=True,
        now=timezone.now(),
        name=data.name,
        language=data.language,
        place=get_place_for(locate(country=data.country, region=data.region, town=data.city)),
        topics=_find_topics(data.topics),
    )
    log(instance=_find_signed_up(email) or key, action="newsletter.api_signed_up", data=_log_data(key, mailing_list))
    return {"answer": SIGN_UP_ANSWER}


@router.patch("people", response=PeopleChanged, summary="Set what is known of people")
def change(request: HttpRequest, data: PeopleChange) -> PeopleChanged:
    """Change giving status, topics, location and attributes of up to 1,000 existing people. It adds nobody."""
    key = _get_key(request)
    answers = update_people(
        [
            PersonUpdate(
                email=row.email,
                giving=row.giving,
                topics=row.topics,
                country=row.country,
                region=row.region,
                town=row.city,
                attributes=row.attributes,
            )
            for row in data.people
        ],
        by=label_caller(key),
        now=timezone.now(),
    )
    counts = {str(outcome): sum(answer.outcome is outcome for answer in answers) for outcome in Outcome}
    if counts["changed"]:
        changed = [
            row.email for row, answer in zip(data.people, answers, strict=True) if answer.outcome is Outcome.CHANGED
        ]
        log(instance=key, action="newsletter.api_changed", data={**counts, "people": _find_ids(changed)})
    rows = [
        RowAnswer.model_validate({"row": number, "result": str(answer.outcome), "why": answer.reason})
        for number, answer in enumerate(answers)
    ]
    return PeopleChanged(**counts, rows=rows)


@router.post("people/find", response=dict[str, object], summary="Read one person")
def find(request: HttpRequest, data: Address) -> dict[str, object]:
    """Return everything held about the person with this address, as `newsletter subscribers show EMAIL --json` does."""
    person = find_person(data.email)
    log(instance=person, action="newsletter.api_read", data=_log_data(_get_key(request)))
    return describe_person(person, now=timezone.now())


@router.post("people/stop", response=Stopped, summary="Stop mail to an address")
def stop(request: HttpRequest, data: Stop) -> dict[str, bool]:
    """Stop emails to an address, from one list or all. Calling it again with the same reason changes nothing."""
    key = _get_key(request)
    changed = stop_mail(
        email=data.email,
        reason=data.reason,
        mailing_list=_find_list(data.list) if data.list is not None else None,
        note=data.note,
        by=label_caller(key),
        now=timezone.now(),
    )
    if changed:
        person = Subscriber.objects.filter(address_hash=identify(normalise(data.email))).first()
        log(instance=person or key, action="newsletter.api_stopped", data={**_log_data(key), "reason": data.reason})
    return {"changed": changed}


def _get_key(request: HttpRequest) -> ApiKey:
    key: ApiKey = request.auth  # type: ignore[attr-defined]  # `ApiKeyAuth` sets it
    return key


def _log_data(key: ApiKey, mailing_list: MailingList | None = None) -> dict[str, object]:
    """Return the details of a call for the staff log: the key, and the list if there is one."""
    list_data = {"list": mailing_list.slug, "list_id": mailing_list.pk} if mailing_list else {}
    return {"key": key.name, "key_id": key.pk, **list_data}


def _find_signed_up(email: str) -> Subscriber | HeldSignup | None:
    """Return the person with this address, else the sign-up that waits for staff, else None (it was refused)."""
    address_hash = identify(email)
    person = Subscriber.objects.filter(address_hash=address_hash).first()
    return person or HeldSignup.objects.filter(address_hash=address_hash).order_by("-pk").first()


def _find_ids(addresses: Iterable[str]) -> list[int]:
    """Return the ids of the people with these addresses, because logs must not hold addresses."""
    hashes = [identify(normalise(address)) for address in addresses]
    return list(Subscriber.objects.filter(address_hash__in=hashes).order_by("pk").values_list("pk", flat=True))


def _find_list(slug: str, *, public: bool = False) -> MailingList:
    lists = MailingList.objects.filter(public=True) if public else MailingList.objects.all()
    found = lists.filter(slug=slug).first()
    if found is None:
        known = ", ".join(lists.values_list("slug", flat=True)) or "none"
        raise NotFound(f"There is no {'public ' if public else ''}list “{slug}”. There are: {known}.")
    return found


def _find_topics(slugs: list[str]) -> list[Topic]:
    found = list(Topic.objects.filter(slug__in=slugs))
    unknown = set(slugs) - {topic.slug for topic in found}
    if unknown:
        raise NotFound(f"There is no topic “{min(unknown)}”. Send the slugs that the desk shows.")
    return found
