"""The API: keys and scopes, the calls, and errors as problem JSON that says what to do."""

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from newsletter.api.calls.access import MAX_BAD_KEYS_PER_MINUTE
from newsletter.api_keys import BadKey, make_key, revoke_key
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.protected_terms.terms import add_terms
from newsletter.models import ApiKey, AuditEntry, Batch, Publication, Story
from newsletter.models.api_keys import DEFAULT_CALLS_PER_MINUTE
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.issue_status import status_of
from newsletter.sending.settling.send_controls import cancel_send, pause_send
from subscribers.consent.signup_limits import MAX_SIGNUPS_PER_ADDRESS
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    HeldSignup,
    ImportBatch,
    RateCounter,
    Subscriber,
    Subscription,
    Suppression,
)
from tests.support.api import call, create_key, list_openapi_calls, problem
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.people import make_list, make_member

pytestmark = pytest.mark.django_db
WORDING = "Send me the weekly letter by email. I can leave at any time."


@pytest.mark.requirement("G5")
def test_calls_need_a_valid_key_and_ignore_desk_sessions() -> None:
    calls = list_openapi_calls()
    assert len(calls) >= 9
    admin = sign_in("admin")
    for method, path in calls:
        problem(call(method, path, {}), 401)
        assert "Bearer KEY" in problem(call(method, path, {}, key="nl_wrong"), 401)
        problem(call(method, path, {}, client=admin), 401)
        RateCounter.objects.all().delete()


@pytest.mark.requirement("G5")
def test_no_key_opens_the_desk() -> None:
    headers = {"Authorization": f"Bearer {create_key('people')}"}
    for page in ("/admin/", "/admin/people/", "/admin/api-keys/"):
        assert Client().get(page, headers=headers).headers["Location"].startswith("/accounts/login/")


def test_a_key_is_hashed_and_ends_when_it_expires_or_is_revoked() -> None:
    key, text = make_key(name="Web site", scope="read", by="x", now=timezone.now(), days=30)
    assert text not in str(ApiKey.objects.values())
    assert call("get", "publications", key=text).status_code == 200
    key.refresh_from_db()
    assert key.last_used_at is not None
    with time_machine.travel(timezone.now() + timedelta(days=31), tick=False):
        problem(call("get", "publications", key=text), 401)
    revoke_key(key=key, by="x", now=timezone.now())
    problem(call("get", "publications", key=text), 401)


def test_too_many_calls_or_wrong_keys_are_answered_429() -> None:
    text = create_key("read")
    with time_machine.travel("2026-03-05T09:00:10Z", tick=False):
        good = [call("get", "publications", key=text).status_code for _ in range(DEFAULT_CALLS_PER_MINUTE + 1)]
        slowed = call("get", "publications", key=text)
        bad = [call("get", "publications", key="nl_guess").status_code for _ in range(MAX_BAD_KEYS_PER_MINUTE + 2)]
    assert good == [200] * DEFAULT_CALLS_PER_MINUTE + [429]
    assert "Wait 50 seconds" in problem(slowed, 429)
    assert slowed.headers["Retry-After"] == "50"
    assert bad == [401] * (MAX_BAD_KEYS_PER_MINUTE + 1) + [429]


def test_a_right_key_works_after_wrong_ones_of_the_same_address() -> None:
    text = create_key("read")
    with time_machine.travel("2026-03-05T09:00:10Z", tick=False):
        for _ in range(MAX_BAD_KEYS_PER_MINUTE + 5):
            last = call("get", "publications", key="nl_guess")
        assert last.status_code == 429
        assert call("get", "publications", key=text).status_code == 200


def test_wrong_keys_are_counted_for_each_visitor_behind_a_trusted_proxy(settings: Any) -> None:
    settings.SUBSCRIBERS_TRUSTED_PROXIES = ["127.0.0.1/32"]

    def guess(forwarded: str) -> int:
        headers = {"Authorization": "Bearer nl_guess", "X-Forwarded-For": forwarded}
        return Client().get("/api/v1/publications", headers=headers).status_code

    with time_machine.travel("2026-03-05T09:00:10Z", tick=False):
        answers = [guess(f"203.0.113.{number}, 198.51.100.7") for number in range(MAX_BAD_KEYS_PER_MINUTE + 2)]
        assert answers[-1] == 429
        assert guess("198.51.100.7, 198.51.100.8") == 401


def test_a_sign_up_must_be_confirmed_and_every_answer_is_the_same() -> None:
    weekly = make_list("weekly", double_opt_in=False)
    make_member(weekly, "known@example.org")
    key = create_key()
    given = {"list": "weekly", "wording": WORDING, "visitor": "203.0.113.7", "name": "Ada", "city": "Leeds"}
    answers = {
        call("post", "sign-ups", {**given, "email": email}, key=key).content
        for email in ("new@example.org", "known@example.org", "New@example.org")
    }
    assert len(answers) == 1
    person = Subscriber.objects.get(email="new@example.org")
    assert (person.name, person.place.town) == ("Ada", "Leeds")
    assert Subscription.objects.get(subscriber=person).confirmed_at is None
    assert Confirmation.objects.get().subscriber == person
    event = ConsentEvent.objects.get()
    assert (event.wording, event.source) == (WORDING, "API: the people key")


@pytest.mark.usefixtures("still_clock")
def test_many_sign_ups_of_one_visitor_are_held_with_the_same_answer() -> None:
    make_list("weekly")
    key = create_key()
    given = {"list": "weekly", "wording": WORDING, "visitor": "203.0.113.7"}
    answers = {
        call("post", "sign-ups", {**given, "email": f"p{n}@gmail.com"}, key=key).status_code
        for n in range(MAX_SIGNUPS_PER_ADDRESS + 2)
    }
    assert answers == {202}
    assert HeldSignup.objects.count() == 2


def test_a_name_that_is_too_long_as_stored_is_refused_not_cut() -> None:
    """Unicode's NFC makes two characters of this letter of Hindi."""
    make_list("weekly")
    given = {"email": "new@example.org", "list": "weekly", "wording": WORDING, "name": "\u0958" * 150}
    assert "300 characters" in problem(call("post", "sign-ups", given, key=create_key()), 422)
    assert not Subscriber.objects.exists()


def test_a_refused_sign_up_says_what_to_send_instead() -> None:
    make_list("weekly")
    make_list("staff", public=False)
    key = create_key()
    good = {"email": "new@example.org", "list": "weekly", "wording": WORDING}
    assert "There are: weekly" in problem(call("post", "sign-ups", {**good, "list": "staff"}, key=key), 404)
    assert "email address" in problem(call("post", "sign-ups", {**good, "email": "nobody"}, key=key), 422)
    assert "wording" in problem(call("post", "sign-ups", {**good, "wording": "yes"}, key=key), 422)
    assert "no topic “lore”" in problem(call("post", "sign-ups", {**good, "topics": ["lore"]}, key=key), 404)
    assert "shoe" in problem(call("post", "sign-ups", {**good, "shoe": "7"}, key=key), 422)
    unknown = problem(call("post", "sign-ups", {**good, "language": "klingon"}, key=key), 422)
    assert "language: “klingon” is not a language code. Write one such as en, es, fr" in unknown
    for field, hostile in {"wording": f"{WORDING}\0", "page": "\0", "topics": ["\0"]}.items():
        assert "NUL" in problem(call("post", "sign-ups", {**good, field: hostile}, key=key), 422)
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("body", ["", "[1]", "null", '"text"', "7"])
def test_a_body_that_is_no_object_is_refused_in_plain_words(body: str) -> None:
    answer = call("post", "sign-ups", key=create_key(), text=body)
    assert problem(answer, 422).startswith("The body must be a JSON object with the fields of this call. ")
    assert answer.json()["errors"][0]["where"] == ""


def test_an_unknown_parameter_is_refused_and_nothing_is_done() -> None:
    make_list("weekly")
    key, terms = create_key("people:write lists:read"), "list=weekly&basis=consent&evidence=On%20paper"
    answer = call(
        "post", f"imports?{terms}&dry_rum=true", text="email\nann@example.org\n", key=key, content_type="text/csv"
    )
    assert problem(answer, 422).startswith("query.dry_rum: This call has no such parameter. It has: list, kind, basis")
    assert not ImportBatch.objects.exists()
    assert "It has: limit, cursor" in problem(call("get", "lists?since=2026-01-01", key=key), 422)
    assert "This call has no parameters" in problem(call("get", "lists/weekly?limit=1", key=key), 422)


def test_a_wrong_limit_of_a_page_names_its_field() -> None:
    assert problem(call("get", "lists?limit=900", key=create_key("lists:read")), 422).startswith("query.limit: ")


def test_people_are_changed_row_by_row_and_logged_without_addresses() -> None:
    make_member(make_list("weekly"), "ada@example.org")
    rows = [
        {"email": "ada@example.org", "giving": "monthly", "attributes": {"since": "2019"}},
        {"email": "new@example.org", "giving": "donor"},
        {"email": "ada@example.org"},
        {"email": "x"},
    ]
    answer = call("patch", "people", {"people": rows}, key=create_key()).json()
    assert [row["result"] for row in answer["rows"]] == ["changed", "unknown", "refused", "refused"]
    assert (answer["changed"], answer["unknown"], answer["refused"], answer["unchanged"]) == (1, 1, 2, 0)
    assert answer["rows"][3]["why"]
    assert Subscriber.objects.get().giving == "monthly"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.data["changed"]) == ("newsletter.api_changed", 1)
    assert "ada@example.org" not in f"{entry.label}{entry.data}"


def test_too_many_people_or_unknown_fields_refuse_the_whole_call() -> None:
    key = create_key()
    many = {"people": [{"email": f"p{n}@example.org"} for n in range(1001)]}
    assert "1000" in problem(call("patch", "people", many, key=key), 422)
    assert "people.0.gives" in problem(
        call("patch", "people", {"people": [{"email": "a@b.org", "gives": 1}]}, key=key), 422
    )
    response = Client().patch(
        "/api/v1/people", "{", content_type="application/json", headers={"Authorization": f"Bearer {key}"}
    )
    assert "one JSON document" in problem(response, 400)
    too_big = {"people": [{"email": "a@b.org", "city": "x" * 200}], "more": "x" * 3_000_000}
    assert "2.5 MB" in problem(call("patch", "people", too_big, key=key), 413)


def test_reading_a_person_takes_the_address_in_the_body_and_is_logged() -> None:
    make_member(make_list("weekly"), "ada@example.org", name="Ada")
    key = create_key()
    found = call("post", "people/find", {"email": "ADA@example.org"}, key=key).json()
    assert (found["name"], found["subscriptions"][0]["list"]) == ("Ada", "weekly")
    assert "No subscriber has this address" in problem(
        call("post", "people/find", {"email": "b@example.org"}, key=key), 404
    )
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["newsletter.api_read"]


def test_stopping_mail_twice_for_one_reason_changes_nothing() -> None:
    weekly = make_list("weekly")
    make_member(weekly, "ada@example.org")
    key = create_key()
    stop = {"email": "ada@example.org", "list": "weekly"}
    assert [call("post", "people/stop", stop, key=key).json() for _ in range(2)] == [
        {"changed": True},
        {"changed": False},
    ]
    assert call("post", "people/stop", {"email": "b@example.org", "reason": "hard"}, key=key).json() == {
        "changed": True
    }
    assert sorted(Suppression.objects.values_list("reason", "scope")) == [("hard", "all"), ("unsubscribe", "list")]
    problem(call("post", "people/stop", {**stop, "reason": "erasure"}, key=key), 422)
    assert "no list “daily”" in problem(call("post", "people/stop", {**stop, "list": "daily"}, key=key), 404)


def read_subjects(key: str) -> set[str]:
    """Return the subjects of the one issue that the API gives, from all its calls."""
    paths = "issues/weekly/latest/receipt", "issues/weekly/1/receipt"
    listed = [issue["subject"] for issue in call("get", "issues", key=key).json()["issues"]]
    return {*listed, *(call("get", path, key=key).json()["subject"] for path in paths)}


@pytest.mark.requirement("V3")
@pytest.mark.requirement("V5")
@pytest.mark.requirement("V6")
def test_the_api_hides_subjects_that_are_not_public(publication: Publication) -> None:
    """A website may publish subjects: not before the issue is sent, nor if withdrawn, embargoed or protected since."""
    key = create_key("read")
    story, _ = make_story("The first verdict"), make_story("The clinic opens", days_old=2)
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    assert read_subjects(key) == {""}
    start_send(issue=issue, now=timezone.now())
    assert read_subjects(key) == {"The first verdict"}
    (term,) = add_terms(lines="First Verdict", note="", by=sign_in_data_manager(), now=timezone.now()).terms
    assert read_subjects(key) == {""}
    term.delete()
    Story.objects.filter(pk=story.pk).update(embargo_until=timezone.now() + timedelta(hours=1))
    assert read_subjects(key) == {"The clinic opens"}
    Story.objects.filter(pk=story.pk).update(embargo_until=None, withdrawn_at=timezone.now())
    assert read_subjects(key) == {"The clinic opens"}


def test_a_stopped_issue_keeps_its_subject_if_it_reached_anybody(publication: Publication) -> None:
    key = create_key("read")
    make_story("The first verdict")
    add_subscribers(publication, 2)
    send = start_send(issue=make_issue(publication, approved=True), now=timezone.now())
    cancel_send(send=send, by=make_approver(), now=timezone.now())
    assert read_subjects(key) == {""}
    Batch.objects.update(state="accepted")
    assert read_subjects(key) == {"The first verdict"}
    Story.objects.update(withdrawn_at=timezone.now())
    assert "The first verdict" not in read_subjects(key)


@pytest.mark.requirement("V6")
def test_the_api_hides_why_an_issue_is_held(publication: Publication) -> None:
    make_story("The first verdict")
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    hold_issue(issue=issue, reason="“The first verdict” is under embargo")
    (listed,) = call("get", "issues", key=create_key("read")).json()["issues"]
    assert (listed["held"], listed["reason"]) == (True, "")


def test_the_api_hides_why_a_send_was_paused(publication: Publication) -> None:
    make_story("The first verdict")
    add_subscribers(publication, 2)
    send = start_send(issue=make_issue(publication, approved=True), now=timezone.now())
    sign_in("approver")
    pause_send(
        send=send, by=User.objects.get(username="approver@example.org"), reason="Maya rang: her brother found it"
    )
    receipt = call("get", "issues/weekly/latest/receipt", key=create_key("read")).json()
    shown = {name: receipt["send"][name] for name in ("id", "state", "reason", "provider", "hours")}
    assert shown == {"id": send.pk, "state": "paused", "reason": "", "provider": send.provider, "hours": []}
    assert "Maya" not in json.dumps(receipt)
    assert "approver@example.org" not in json.dumps(receipt)


def sign_in_data_manager() -> User:
    sign_in("data")
    return User.objects.get(username="data@example.org")


def test_publications_issues_and_receipts_match_the_status_command(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    key = create_key("read")
    assert call("get", "publications", key=key).json()["publications"][0]["slug"] == "weekly"
    listed = call("get", "issues?publication=weekly&most=1", key=key).json()["issues"]
    assert [row["issue"] for row in listed] == [issue.reference]
    for path in (f"issues/{issue.pk}/receipt", "issues/weekly/latest/receipt", "issues/weekly/1/receipt"):
        assert call("get", path, key=key).json() == {**status_of(issue), "subject": ""}
    assert "The newest is" in problem(call("get", "issues/weekly/9/receipt", key=key), 404)
    assert "There are: weekly" in problem(call("get", "issues?publication=daily", key=key), 404)
    assert "100" in problem(call("get", "issues?most=1000", key=key), 422)
    assert "NUL" in problem(call("get", "issues?publication=week%00ly", key=key), 422)


def test_a_receipt_counts_an_unsubscribe_by_a_link_of_the_issue(
    publication: Publication, fake_provider: Any, settings: Any
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    run_send(send=send, adapter=current_adapter(), clock=lambda: NOW)
    key = create_key("read")
    assert call("get", "issues/weekly/1/receipt", key=key).json()["unsubscribed"] == 0
    link = fake_provider.mailbox("person0@example.com")[-1].headers["List-Unsubscribe"].strip("<>")
    assert Client().post(urlsplit(link).path).status_code == 200
    assert call("get", "issues/weekly/1/receipt", key=key).json()["unsubscribed"] == 1


def test_the_openapi_document_is_public_and_unknown_paths_are_problems() -> None:
    document = Client().get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert "/api/v1/people" in document["paths"]
    for path in ("/api/", "/api/v2/people", "/api/v1/person"):
        assert "/api/v1/" in problem(Client().get(path), 404)


def test_the_command_creates_lists_and_revokes_keys(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("api_key", "add", "Web site", "--scope", "people", "--scope", "read")
    text = capsys.readouterr().out.split()[0]
    assert call("get", "publications", key=text).status_code == 200
    call_command("api_key", "list")
    listed = capsys.readouterr().out
    assert "Web site" in listed
    assert text not in listed
    call_command("api_key", "revoke", "Web site")
    problem(call("get", "publications", key=text), 401)
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["newsletter.api_key_made", "newsletter.api_key_revoked"]


@pytest.mark.parametrize(
    ("name", "scope", "days"), [(" ", "read", 1), ("x", "all", 1), ("x", "read", -1), ("Web site", "read", 1)]
)
def test_a_key_needs_a_unique_name_a_scope_and_an_expiry_date(name: str, scope: str, days: int) -> None:
    make_key(name="Web site", scope="read", by="x", now=timezone.now())
    with pytest.raises(BadKey):
        make_key(name=name, scope=scope, by="x", now=timezone.now(), days=days)


def test_an_administrator_creates_a_key_sees_it_once_and_revokes_it() -> None:
    admin = sign_in("admin")
    page = admin.post("/admin/api-keys/", {"name": "Web site", "scope": "read"})
    text = re.search(r"<code[^>]*>(nl_[\w-]{43})</code>", page.content.decode())
    assert text is not None
    assert "no-store" in page.headers["Cache-Control"]
    assert call("get", "publications", key=text[1]).status_code == 200
    again = admin.get("/admin/api-keys/").content.decode()
    assert "Web site" in again
    assert text[1] not in again
    assert list_messages(admin.post("/admin/api-keys/", {"revoke": str(ApiKey.objects.get().pk)}, follow=True)) == [
        "The key “Web site” is revoked."
    ]
    problem(call("get", "publications", key=text[1]), 401)
    assert "1 inactive key" in admin.get("/admin/api-keys/").content.decode()
    assert "already" in _create_twice(admin).content.decode()


def test_the_list_of_keys_revokes_nothing_without_a_question() -> None:
    admin, key = sign_in("admin"), create_key("read", name="Shop")
    assert 'name="revoke"' not in admin.get("/admin/api-keys/").content.decode()
    pk = ApiKey.objects.get().pk
    page = admin.get(f"/admin/api-keys/{pk}/").content.decode()
    assert "You cannot undo it" in page
    admin.post("/admin/api-keys/", {"revoke": str(pk)})
    assert 'name="revoke"' not in admin.get(f"/admin/api-keys/{pk}/").content.decode()
    problem(call("get", "publications", key=key), 401)


def test_a_key_that_is_shown_once_has_a_button_to_copy_it() -> None:
    admin = sign_in("admin")
    key = admin.post("/admin/api-keys/", {"name": "Web site", "scope": "read"}).content.decode()
    hook = admin.post("/admin/webhooks/", {"name": "Shop", "url": "http://127.0.0.1:9/hooks"}).content.decode()
    for page, secret in ((key, r"nl_[\w-]{43}"), (hook, r"whsec_[\w+/=]+")):
        assert re.search(rf'data-w-clipboard-value-param="{secret}"', page)


def test_the_page_of_keys_counts_the_people_that_each_key_read() -> None:
    weekly = make_list("weekly")
    key, _ = create_key(), create_key(name="another key")
    for name in ("ada", "bea"):
        make_member(weekly, f"{name}@example.org")
        for _again in range(2):
            call("post", "people/find", {"email": f"{name}@example.org"}, key=key)
    admin = sign_in("admin")
    page = admin.get("/admin/api-keys/")
    assert [(row.name, people) for row, people in page.context["keys"]] == [("another key", 0), ("the people key", 2)]
    assert "2 people read in 24 hours" in page.content.decode()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        later = sign_in("admin", email="later@example.org").get("/admin/api-keys/").content.decode()
    assert "read in 24 hours" not in later


def _create_twice(admin: Client) -> Any:
    for _ in range(2):
        response = admin.post("/admin/api-keys/", {"name": "Reports", "scope": "read"})
    return response
