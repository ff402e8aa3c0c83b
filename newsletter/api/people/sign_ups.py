"""The first calls about people: sign up, change many, find one, stop emails. Addresses come in the body, never in the path."""

from django.http import HttpRequest
from django.utils import timezone
from wagtail.log_actions import log

from newsletter.api.calls.access import get_key, label_caller, require_all_lists
from newsletter.api.calls.handle_call import repeats
from newsletter.api.calls.problems import Problem
from newsletter.api.people.key_scope import (
    find_ids,
    find_list,
    find_signed_up,
    find_topics,
    find_visible_person,
    hide_other_lists,
    hide_private_parts,
    list_visible_hashes,
    log_data,
)
from newsletter.api.people.router import READING_AS_BEFORE, WRITING_AS_BEFORE, router
from newsletter.api.people.schemas import (
    Address,
    PeopleChange,
    PeopleChanged,
    RowAnswer,
    SignedUp,
    SignUp,
    Stop,
    Stopped,
)
from newsletter.common.errors import BadAddress
from newsletter.common.text import clean_line
from newsletter.models import ApiKey
from subscribers.addresses.normalise import mask, normalise
from subscribers.consent.process_signup import process_signup
from subscribers.consent.proof_of_work import Proof
from subscribers.consent.signup import SignupRequest
from subscribers.identity import identify
from subscribers.models import Subscriber
from subscribers.models.people import MAX_NAME_LENGTH
from subscribers.people.bulk_update import Outcome, PersonUpdate, RowResult, update_people
from subscribers.people.describe_person import describe_person
from subscribers.people.locations import get_location_row, locate
from subscribers.unsubscribing.suppress_email import suppress_email

_MAX_SOURCE_LENGTH = 300
SIGN_UP_ANSWER = "Thank you. Unless the address is already on the list, it will get an email with a button to confirm."


@router.post("sign-ups", auth=WRITING_AS_BEFORE, response={202: SignedUp}, summary="Sign somebody up")
def sign_up(request: HttpRequest, data: SignUp) -> dict[str, str]:
    """Sign a person up for a list.

    The limits and the confirmation email are those of the newsletter's own sign-up page. The answer is the same for
    everybody.
    """
    key, email = get_key(request), normalise(data.email)
    mailing_list = find_list(key, data.list, public=True)
    process_signup(
        SignupRequest(
            email=email,
            mailing_list=mailing_list,
            wording=data.wording,
            source=clean_line(f"{label_caller(key)} {data.page}", max_length=_MAX_SOURCE_LENGTH),
            name=_require_name(data.name),
            language=data.language,
            place=get_location_row(locate(country=data.country, region=data.region, town=data.city)),
            topics=find_topics(data.topics),
        ),
        client=data.visitor,
        proof=Proof.GOOD,
        must_confirm=True,
        now=timezone.now(),
    )
    log(instance=find_signed_up(email) or key, action="newsletter.api_signed_up", data=log_data(key, mailing_list))
    return {"answer": SIGN_UP_ANSWER}


def _require_name(text: str) -> str:
    """Return the name as it is stored: some letters become two characters. Raise Problem if it is too long then."""
    name = clean_line(text)
    if len(name) > MAX_NAME_LENGTH:
        raise Problem(
            422,
            "A field is invalid",
            f"name: it has {len(name)} characters as it is stored. The limit is {MAX_NAME_LENGTH}. Nobody was signed up.",
            code="invalid_field",
        )
    return name


@router.patch("people", auth=WRITING_AS_BEFORE, response=PeopleChanged, summary="Set what is known of people")
def change(request: HttpRequest, data: PeopleChange) -> PeopleChanged:
    """Change giving status, topics, location and attributes of up to 1,000 existing people. It adds nobody."""
    key = get_key(request)
    answers = _update_visible(key, data)
    counts = {str(outcome): sum(answer.outcome is outcome for answer in answers) for outcome in Outcome}
    if counts["changed"]:
        changed = [
            row.email for row, answer in zip(data.people, answers, strict=True) if answer.outcome is Outcome.CHANGED
        ]
        log(instance=key, action="newsletter.api_changed", data={**counts, "people": find_ids(changed)})
    rows = [
        RowAnswer.model_validate({"row": number, "result": str(answer.outcome), "why": answer.reason})
        for number, answer in enumerate(answers)
    ]
    return PeopleChanged(**counts, rows=rows)


@router.post("people/find", auth=READING_AS_BEFORE, response=dict[str, object], summary="Read one person")
@repeats(reads=True)
def find(request: HttpRequest, data: Address) -> dict[str, object]:
    """Return what is held about the person with this address: what `people/{person}` returns, and more.

    It leaves out the cases that they follow, and what they wrote to you. A key that is limited to lists gets what
    concerns those lists.
    """
    key = get_key(request)
    person = find_visible_person(key, data.email)
    log(instance=person, action="newsletter.api_read", data=log_data(key))
    description = hide_private_parts(describe_person(person, now=timezone.now()))
    return hide_other_lists(key, {**description, "email_hint": mask(person.email)})


@router.post("people/stop", auth=WRITING_AS_BEFORE, response=Stopped, summary="Stop mail to an address")
def stop(request: HttpRequest, data: Stop) -> dict[str, bool]:
    """Stop emails to an address, from one list or all. Calling it again with the same reason changes nothing."""
    key = get_key(request)
    if data.list is None or data.reason in ("complaint", "hard"):
        require_all_lists(key, "This stops the emails of all lists. Name one list, and another reason.")
    changed = suppress_email(
        email=data.email,
        reason=data.reason,
        mailing_list=find_list(key, data.list) if data.list is not None else None,
        note=data.note,
        by=label_caller(key),
        now=timezone.now(),
    )
    if changed:
        person = Subscriber.objects.filter(address_hash=identify(normalise(data.email))).first()
        log(instance=person or key, action="newsletter.api_stopped", data={**log_data(key), "reason": data.reason})
    return {"changed": changed}


def _update_visible(key: ApiKey, data: PeopleChange) -> list[RowResult]:
    """Update the people whom the key may see. To it, all others are unknown."""
    visible = list_visible_hashes(key, [row.email for row in data.people])
    answers = [RowResult(Outcome.UNKNOWN)] * len(data.people)
    chosen = [number for number, row in enumerate(data.people) if visible is None or _is_in(row.email, visible)]
    updates = [
        PersonUpdate(
            email=row.email,
            giving=row.giving,
            topics=row.topics,
            country=row.country,
            region=row.region,
            town=row.city,
            attributes=row.attributes,
        )
        for row in (data.people[number] for number in chosen)
    ]
    for number, answer in zip(chosen, update_people(updates, by=label_caller(key), now=timezone.now()), strict=True):
        answers[number] = answer
    return answers


def _is_in(email: str, hashes: set[bytes]) -> bool:
    """Return True for a visible person, and for what is no address, so that the row says why it is refused."""
    try:
        return identify(normalise(email)) in hashes
    except BadAddress:
        return True
