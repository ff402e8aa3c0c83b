"""Fields that a template of the desk writes: a text that is too long is refused beside its field; nothing is cut or stored."""

from collections.abc import Callable
from dataclasses import dataclass

import lxml.html
import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from newsletter.api.urls import api
from newsletter.common.staff_pages import MAX_KEPT_LENGTH
from newsletter.models import AuditEntry, Issue, ProtectedTerm, Send, Story
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.freezing.start import start_send
from subscribers.models import ConsentEvent, Reason, Segment, Subscriber, Suppression
from subscribers.unsubscribing.suppression import suppress
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.people import make_list, make_member

pytestmark = pytest.mark.django_db
SAYS = "Your text has %s characters. The limit is %s. Nothing was changed. Shorten the text."


@dataclass(frozen=True)
class Case:
    """A form of the desk. ``show`` is its page, ``others`` are its other fields. ``is_stored`` tells if a POST did its work."""

    action: str
    show: str
    field: str
    is_stored: Callable[[], bool]
    limit: int
    others: tuple[tuple[str, str], ...] = ()


def make_sending() -> Issue:
    make_story("The clinic opens")
    publication = make_publication()
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=NOW)
    return issue


def send_case(step: str, state: Send.State, code: Send.Code, limit: int) -> Case:
    issue = make_sending()
    Send.objects.update(state=state, code=code, reason="Stopped automatically." if code else "")
    AutomaticPause.objects.create(send=Send.objects.get(), rule=AutomaticPause.Rule.GMAIL, cases=40, at=NOW)
    return Case(
        reverse("newsletter_send_step", args=[issue.pk, step]),
        reverse("newsletter_issue_overview", args=[issue.pk]),
        "reason",
        lambda: Send.objects.get().state != state or AutomaticPause.objects.exclude(lifted_reason="").exists(),
        limit,
    )


def pause_case() -> Case:
    return send_case("pause", Send.State.SUBMITTING, Send.Code.NONE, 500)


def resume_case() -> Case:
    return send_case("go-on", Send.State.PAUSED, Send.Code.GMAIL_SPAM_RATE, 300)


def withdraw_case() -> Case:
    page = reverse("newsletter_story_withdraw", args=[make_story("The clinic opens").pk])
    return Case(page, page, "reason", Story.objects.filter(withdrawn_at__isnull=False).exists, 300)


def hold_case() -> Case:
    make_story("The clinic opens")
    issue = make_issue(make_publication())
    action = reverse("newsletter_issue_step", args=[issue.pk, "hold"])
    page = reverse("newsletter_issue_overview", args=[issue.pk])
    return Case(action, page, "reason", Issue.objects.filter(held=True).exists, 500)


def note_case() -> Case:
    page = reverse("newsletter_protected_terms")
    return Case(page, page, "note", ProtectedTerm.objects.exists, 200, others=(("terms", "Marisol Quintanilla"),))


def make_person() -> Subscriber:
    return make_member(make_list(), "ann@example.org")


def person_case(
    name: str, person: Subscriber, field: str, is_stored: Callable[[], bool], limit: int, *more: int
) -> Case:
    page = reverse("subscribers_person", args=[person.pk])
    return Case(reverse(name, args=[person.pk, *more]), page, field, is_stored, limit)


def allow_case() -> Case:
    person = make_person()
    suppress(address_hash=bytes(person.address_hash), reason=Reason.STAFF, now=NOW, note="asked", by="x")
    removed = Suppression.objects.filter(removed_at__isnull=False)
    return person_case(
        "subscribers_remove_suppression", person, "why", removed.exists, 1_000, Suppression.objects.get().pk
    )


def stop_case() -> Case:
    case = person_case("subscribers_suppress", make_person(), "why", Suppression.objects.exists, 1_000)
    return Case(**{**vars(case), "others": (("list", "weekly"),)})


def rename_case() -> Case:
    return person_case("subscribers_rename", make_person(), "name", Subscriber.objects.exclude(name="").exists, 200)


CASES = [pause_case, resume_case, withdraw_case, hold_case, note_case, allow_case, stop_case, rename_case]


def post(client: Client, case: Case, text: str) -> HttpResponse:
    return client.post(case.action, {case.field: text, **dict(case.others)}, follow=True)


def find_form(page: bytes, case: Case) -> lxml.html.FormElement:
    forms = lxml.html.fromstring(page.decode()).forms
    return next(form for form in forms if form.action in (case.action, None) and case.field in form.fields)


def describe(form: lxml.html.FormElement, field: str) -> str:
    """Return the first text that describes a field that is marked as wrong."""
    control = form.inputs[field]
    assert control.get("aria-invalid") == "true"
    first = control.get("aria-describedby").split()[0]
    return form.getroottree().getroot().get_element_by_id(first).text_content().strip()


def list_logged() -> list[str]:
    """Return the actions in the staff log, without looks at people."""
    return list(AuditEntry.objects.exclude(action="subscribers.look").values_list("action", flat=True))


@pytest.mark.parametrize("make_case", CASES)
def test_a_text_that_is_too_long_is_refused_beside_its_field(make_case: Callable[[], Case]) -> None:
    case = make_case()
    client = sign_in("admin")
    before = list_logged()
    typed = "é" * (case.limit + 1)
    answer = post(client, case, typed)
    form = find_form(answer.content, case)
    assert describe(form, case.field) == SAYS % (f"{case.limit + 1:,}", f"{case.limit:,}")
    values = dict(form.form_values())
    assert {name: values[name] for name in (case.field, *dict(case.others))} == {case.field: typed, **dict(case.others)}
    assert not case.is_stored()
    assert list_logged() == before


@pytest.mark.parametrize("make_case", CASES)
def test_a_text_of_just_the_limit_is_stored_whole(make_case: Callable[[], Case]) -> None:
    case = make_case()
    post(sign_in("admin"), case, f" {'é' * case.limit} ")
    assert case.is_stored()


@pytest.mark.parametrize("make_case", CASES)
def test_a_browser_cuts_nothing_that_is_pasted(make_case: Callable[[], Case]) -> None:
    case = make_case()
    form = find_form(sign_in("admin").get(case.show).content, case)
    assert "maxlength" not in form.inputs[case.field].attrib


@pytest.mark.parametrize(
    ("schema", "field", "make_case"),
    [("Pause", "reason", pause_case), ("Lift", "reason", allow_case), ("Stop", "note", stop_case)],
)
def test_the_api_takes_reasons_as_long_as_the_desk(schema: str, field: str, make_case: Callable[[], Case]) -> None:
    asked = api.get_openapi_schema()["components"]["schemas"][schema]["properties"][field]
    assert asked["maxLength"] == make_case().limit


def test_the_reason_to_hold_an_issue_is_stored_whole() -> None:
    post(sign_in("editor"), hold_case(), "é" * 500)
    assert Issue.objects.get().held_reason.endswith(": " + "é" * 500)


def test_the_reason_to_allow_emails_again_is_proof_as_typed() -> None:
    post(sign_in("admin"), allow_case(), "é" * 1_000)
    assert ConsentEvent.objects.get(kind=ConsentEvent.Kind.SUPPRESSION_REMOVED).wording == "é" * 1_000


def test_a_text_of_a_whole_page_is_kept_to_be_shortened() -> None:
    case = hold_case()
    typed = "Ж" * 20_000
    assert find_form(post(sign_in("editor"), case, typed).content, case).fields["reason"] == typed


def test_a_form_too_large_to_be_kept_still_says_what_is_wrong() -> None:
    case, typed = rename_case(), "x" * (MAX_KEPT_LENGTH + 1)
    Subscriber.objects.update(name="Ann")
    form = find_form(post(sign_in("admin"), case, typed).content, case)
    assert describe(form, "name") == SAYS % ("200,001", 200)
    assert form.fields["name"] == "Ann"


def test_a_note_that_contains_a_term_is_marked_itself() -> None:
    case = note_case()
    form = find_form(post(sign_in("admin"), case, "Marisol Quintanilla of May").content, case)
    assert describe(form, "note") == "The note contains a term. Give the reason in other words."
    assert form.inputs["terms"].get("aria-invalid") is None


@pytest.mark.parametrize("typed", ["a" * 250 + "@example.org", "ann-at-example.org"])
def test_a_wrong_address_in_a_segment_is_marked(typed: str) -> None:
    segment = Segment.objects.create(name="Donors", slug="donors", rule={"giving": "donor"})
    client, page = sign_in("admin"), reverse("subscribers_why_in_segment", args=[segment.pk])
    answer = client.post(page, {"address": typed})
    form = next(form for form in lxml.html.fromstring(answer.content.decode()).forms if "address" in form.fields)
    assert ("262" in describe(form, "address")) == (len(typed) == 262)
    assert form.fields["address"] == typed
    assert "maxlength" not in form.inputs["address"].attrib


def test_a_corrected_address_that_is_too_long_is_marked() -> None:
    person = make_person()
    case = person_case("subscribers_correct_address", person, "email", lambda: False, 254)
    typed = "a" * 250 + "@example.org"
    form = find_form(post(sign_in("admin"), case, typed).content, case)
    assert describe(form, "email") == "This email address has 262 characters. The limit is 254."
    assert form.fields["email"] == typed
    assert "maxlength" not in form.inputs["email"].attrib
