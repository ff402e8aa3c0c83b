"""MailerSend and Scaleway take one person's mail in a call: what became of each, and what is said of the rest of a batch."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from newsletter.providers.base.contract import Verdict
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.base.single_mails import BEGIN_SECONDS
from newsletter.providers.registry import ADAPTERS, make_adapter, read_provider_url
from tests.support.fake_provider import FakeProvider
from tests.support.provider_accounts import PROJECT
from tests.support.provider_faults import Fault, answer
from tests.support.provider_fixtures import make_call, make_mail, make_recipient

SCHEMES = ["mailersend", "scaleway"]


@pytest.fixture(params=SCHEMES)
def adapter(request: pytest.FixtureRequest, fake_provider: FakeProvider) -> Iterator[Any]:
    made = make_adapter(fake_provider.url_of(request.param))
    yield made
    made.close()


@pytest.fixture
def mailersend(fake_provider: FakeProvider) -> Iterator[Any]:
    made = make_adapter(fake_provider.url_of("mailersend"))
    yield made
    made.close()


@pytest.fixture
def scaleway(fake_provider: FakeProvider) -> Iterator[Any]:
    made = make_adapter(fake_provider.url_of("scaleway"))
    yield made
    made.close()


def verdicts(outcome: Any) -> str:
    return " ".join(outcome.people.get(number, (outcome.verdict, ""))[0] for number in (1, 2, 3))


@pytest.mark.requirement("U2")
def test_nobody_sees_another_persons_address(adapter: Any, fake_provider: FakeProvider) -> None:
    assert adapter.deliver(make_call()).verdict is Verdict.ACCEPTED
    assert [entry.recipients for entry in fake_provider.ledger] == [[f"person{n}@example.com"] for n in (1, 2, 3)]


@pytest.mark.requirement("F7")
def test_a_refused_person_keeps_nobody_else_from_their_mail(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.refuse_person("person2@example.com", "hard_bounced")
    outcome = adapter.deliver(make_call())
    assert (verdicts(outcome), outcome.stop) == ("accepted rejected accepted", False)
    assert outcome.provider_id


FAULTS = [
    (answer(429, b"{}", retry_after="17"), "accepted throttled throttled", 17.0),
    (answer(503, b"{}", retry_after="17"), "accepted throttled throttled", 17.0),
    (answer(500, b"{}"), "accepted uncertain not_sent", None),
    (answer(200, b"no receipt"), "accepted uncertain not_sent", None),
    (answer(200, b"<html>Sign in</html>"), "accepted uncertain not_sent", None),
    (Fault("reset_after_accepting"), "accepted uncertain not_sent", None),
    (answer(401, b'{"message": "no"}'), "accepted not_sent not_sent", None),
    (answer(402, b'{"message": "no"}'), "accepted not_sent not_sent", None),
    (answer(422, b'{"message": "the subject is too short"}'), "accepted not_sent not_sent", None),
    (answer(422, b'{"message": "the to address is wrong"}'), "accepted rejected accepted", None),
]


@pytest.mark.parametrize(("fault", "expected", "wait"), FAULTS, ids=range(len(FAULTS)))
@pytest.mark.requirement("F5")
@pytest.mark.requirement("F9")
def test_an_error_that_every_mail_would_meet_ends_the_batch(
    adapter: Any, fake_provider: FakeProvider, fault: Fault, expected: str, wait: float | None
) -> None:
    fake_provider.fault_on(2, fault)
    outcome = adapter.deliver(make_call())
    assert (verdicts(outcome), outcome.stop, outcome.retry_after) == (expected, False, wait)
    assert len(fake_provider.ledger) == (3 if expected.endswith("accepted") else 2)


def test_no_mail_of_the_rest_is_lost_or_doubled(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.fault_on(2, answer(500, b"{}"))
    outcome = adapter.deliver(make_call())
    rest = [number for number in (1, 2, 3) if outcome.people.get(number, ("",))[0] is Verdict.NOT_SENT]
    adapter.deliver(make_call(*(make_recipient(number) for number in rest), key="batch-2"))
    assert fake_provider.accepted_counts() == {"person1@example.com": 1, "person3@example.com": 1}


def test_a_refusal_of_the_mail_stops_the_send_after_one_call(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.fault_always(answer(422, b'{"message": "the subject is too short"}'))
    outcome = adapter.deliver(make_call())
    assert (verdicts(outcome), outcome.stop) == ("rejected rejected rejected", True)
    assert "account or its content" in outcome.reason
    assert len(fake_provider.ledger) == 1


def test_a_connection_that_fails_leaves_the_rest_unsent(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.stop_listening()
    outcome = adapter.deliver(make_call())
    assert verdicts(outcome) == "not_sent not_sent not_sent"


def test_a_slow_provider_does_not_outlast_the_lease_of_a_batch(adapter: Any, fake_provider: FakeProvider) -> None:
    times = iter([0.0, 1.0, BEGIN_SECONDS + 1])
    adapter._seconds = lambda: next(times)
    outcome = adapter.deliver(make_call())
    assert verdicts(outcome) == "accepted accepted not_sent"
    assert "is slow" in outcome.people[3][1]


def test_all_mails_are_made_before_the_first_is_sent(adapter: Any, fake_provider: FakeProvider) -> None:
    people = [make_recipient(1), make_recipient(2, h_first_name="x" * 2_000_001)]
    with pytest.raises(Exception, match="bytes"):
        adapter.deliver(make_call(*people))
    assert fake_provider.ledger == []


@pytest.mark.parametrize("code", ["42204", "42207", "42216", "42222", "42225"])
def test_mailersends_code_about_the_account_stops_the_send(
    mailersend: Any, fake_provider: FakeProvider, code: str
) -> None:
    told = {"message": "The given data was invalid.", "errors": {"headers": [f"Not for this plan. #MS{code}"]}}
    fake_provider.fault_always(answer(422, json.dumps(told).encode()))
    outcome = mailersend.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
    assert f"#MS{code}" in outcome.reason


def test_mailersends_code_about_an_address_is_about_one_person(mailersend: Any, fake_provider: FakeProvider) -> None:
    told = {"message": "The given data was invalid.", "errors": {"to.0.email": ["must be a valid email. #MS42208"]}}
    fake_provider.fault_on(1, answer(422, json.dumps(told).encode()))
    outcome = mailersend.deliver(make_call())
    assert (verdicts(outcome), outcome.stop) == ("rejected accepted accepted", False)


def test_a_paused_account_at_mailersend_leaves_its_mail_uncertain(mailersend: Any, fake_provider: FakeProvider) -> None:
    fake_provider.fault_always(answer(202, b"", x_message_id="5e42957d51f1d94a1070a733", x_send_paused="true"))
    outcome = mailersend.deliver(make_call())
    assert verdicts(outcome) == "uncertain not_sent not_sent"
    assert "paused the account" in outcome.reason or "paused the account" in outcome.people[1][1]


def test_a_warning_that_is_not_known_proves_nothing(mailersend: Any, fake_provider: FakeProvider) -> None:
    told = json.dumps({"warnings": [{"type": "SOMETHING"}]}).encode()
    fake_provider.fault_always(answer(202, told, x_message_id="5e42957d51f1d94a1070a733"))
    assert verdicts(mailersend.deliver(make_call())) == "uncertain not_sent not_sent"


@pytest.mark.requirement("U2")
def test_mailersend_and_scaleway_track_nobody(mailersend: Any) -> None:
    """Scaleway has no tracking to switch off."""
    sent = json.loads(mailersend.build(make_call()).body)
    assert set(sent["settings"].values()) == {False}


@pytest.mark.parametrize("words", ["{$name}", "{{ name }}", "{% if %}", "{# x #}"])
def test_nothing_is_taken_for_mailersends_variable(mailersend: Any, words: str) -> None:
    mail = make_mail(
        subject=words, text=f"{words} __pv_t_first_name__", html=f"<style>a{{}}{words}</style><p>{words}</p>"
    )
    sent = json.loads(mailersend.build(make_call(make_recipient(1, name=words), mail=mail)).body)
    for part in ("subject", "text", "html"):
        assert words[:2] not in sent[part]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"id": "e", "status": "new", "mail_rcpt": "other@example.com"}],
        [{"id": "", "status": "new", "mail_rcpt": "person1@example.com"}],
        [{"id": "e", "status": "failed", "mail_rcpt": "person1@example.com"}],
        [{"id": "e", "status": "new", "mail_rcpt": "person1@example.com"}] * 2,
        ["x"],
    ],
)
def test_a_row_of_scaleway_that_is_not_about_the_person_proves_nothing(
    scaleway: Any, fake_provider: FakeProvider, rows: list[Any]
) -> None:
    fake_provider.fault_always(answer(200, json.dumps({"emails": rows}).encode()))
    assert verdicts(scaleway.deliver(make_call())) == "uncertain not_sent not_sent"


@pytest.mark.parametrize(
    ("argument", "expected", "stop"),
    [
        ("to", "rejected accepted accepted", False),
        ("subject", "rejected rejected rejected", True),
        ("from", "rejected rejected rejected", True),
        ("additional_headers", "rejected rejected rejected", True),
    ],
)
def test_scaleways_refusal_is_about_the_argument_that_it_names(
    scaleway: Any, fake_provider: FakeProvider, argument: str, expected: str, stop: bool
) -> None:
    details = [{"argument_name": argument, "reason": "constraint", "help_message": "has to be longer"}]
    told = {"details": details, "message": "invalid argument(s)", "type": "invalid_arguments"}
    fake_provider.fault_on(1, answer(400, json.dumps(told).encode()))
    outcome = scaleway.deliver(make_call())
    assert (verdicts(outcome), outcome.stop) == (expected, stop)
    assert "has to be longer" in (outcome.people[1][1] if 1 in outcome.people else outcome.reason)


@pytest.mark.parametrize("field", ["mail_rcpt", "rcpt_to"])
def test_scaleways_row_names_the_address_in_either_field(
    scaleway: Any, fake_provider: FakeProvider, field: str
) -> None:
    row = {"id": "e-1", "status": "new", field: "Person1@example.com"}
    fake_provider.fault_always(answer(200, json.dumps({"emails": [row]}).encode()))
    outcome = scaleway.deliver(make_call(make_recipient(1)))
    assert (outcome.verdict, outcome.provider_id) == (Verdict.ACCEPTED, "e-1")


def test_mailersends_rate_is_kept_unless_the_account_has_another() -> None:
    url = "mailersend://k@news.example.org"
    rates = [make_adapter(each).capabilities.people_per_second for each in (url, f"{url}?people_per_second=5")]
    assert rates == [2.0, 5.0]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mailersend://s3cret@", "no sending domain after the @"),
        ("mailersend://s3cret@news", "no sending domain after the @"),
        ("mailersend://@news.example.org", "has no key"),
        ("mailersend://s3cret@news.example.org?calls_per_second=2", "does nothing with mailersend"),
        ("scaleway://s3cret@", "no Scaleway project"),
        ("scaleway://s3cret@news.example.org", "no Scaleway project"),
        (f"scaleway://@{PROJECT}", "has no key"),
        (f"scaleway://s3cret@{PROJECT}?max_batch=101", "from 1 to 100"),
    ],
)
def test_an_account_that_cannot_be_right_is_refused(url: str, why: str) -> None:
    with pytest.raises(BadProviderUrl, match=why) as caught:
        read_provider_url(url)
    assert "s3cret" not in str(caught.value)


def test_a_project_and_a_domain_are_shown_and_a_key_is_not() -> None:
    assert read_provider_url(f"scaleway://s3cret@{PROJECT.upper()}").label == f"scaleway ({PROJECT})"
    assert read_provider_url("mailersend://s3cret@news.example.org").label == "mailersend (news.example.org)"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_staff_read_what_they_must_do_themselves(scheme: str) -> None:
    assert all(len(str(limit)) > 40 for limit in ADAPTERS[scheme].limits)
    paced = [str(limit) for limit in ADAPTERS[scheme].limits if "people_per_second" in str(limit)]
    assert all("NEWSLETTER_PROVIDER_URL" in limit for limit in paced)
