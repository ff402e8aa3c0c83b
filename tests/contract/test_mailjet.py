"""Mailjet says of each mail what became of it, also in an answer of 400."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from newsletter.providers.base.contract import Verdict
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.mailjet.adapter import Mailjet
from newsletter.providers.registry import make_adapter, read_provider_url
from tests.support.fake_provider import FakeProvider
from tests.support.provider_faults import answer
from tests.support.provider_fixtures import make_call, make_recipient


@pytest.fixture
def mailjet(fake_provider: FakeProvider) -> Iterator[Any]:
    made = make_adapter(fake_provider.url_of("mailjet"))
    yield made
    made.close()


def success(number: int) -> dict[str, Any]:
    return {"Status": "success", "To": [{"Email": f"person{number}@example.com", "MessageID": 100 + number}]}


def failure(**error: Any) -> dict[str, Any]:
    told = {"ErrorCode": "x", "StatusCode": 400, "ErrorMessage": "no", "ErrorRelatedTo": ["To[0].Email"], **error}
    return {"Status": "error", "Errors": [told]}


def verdicts(outcome: Any) -> list[Verdict]:
    return [outcome.people.get(number, (outcome.verdict, ""))[0] for number in (1, 2, 3)]


@pytest.mark.requirement("F7")
def test_one_refused_person_is_isolated_in_an_answer_of_400(fake_provider: FakeProvider, mailjet: Mailjet) -> None:
    fake_provider.refuse_person("person2@example.com", 400)
    outcome = mailjet.deliver(make_call())
    assert verdicts(outcome) == [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.ACCEPTED]
    assert (outcome.stop, outcome.provider_id) == (False, "7065021916500000")
    assert "x@example.com" not in outcome.people[2][1]


@pytest.mark.parametrize(
    ("rows", "expected", "stop"),
    [
        ([success(1), failure(StatusCode=429), success(3)], "accepted throttled accepted", False),
        ([success(1), failure(StatusCode=500), success(3)], "accepted uncertain accepted", False),
        ([success(1), {"Status": "error"}, success(3)], "accepted uncertain accepted", False),
        ([success(1), success(3), success(2)], "accepted uncertain uncertain", False),
        ([failure(), failure(), failure()], "rejected rejected rejected", False),
        ([failure(ErrorRelatedTo=["From.Email"])] * 3, "rejected rejected rejected", True),
        ([failure(StatusCode=401)] * 3, "rejected rejected rejected", True),
        ([failure(ErrorRelatedTo=["HTMLPart"]), success(2), success(3)], "not_sent accepted accepted", False),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_each_row_is_read_by_its_own(
    fake_provider: FakeProvider, mailjet: Mailjet, rows: list[Any], expected: str, stop: bool, status: int
) -> None:
    fake_provider.fault_always(answer(status, json.dumps({"Messages": rows}).encode()))
    outcome = mailjet.deliver(make_call())
    assert " ".join(verdicts(outcome)) == expected
    assert outcome.stop is stop


@pytest.mark.parametrize(
    "rows", [[success(1)], [success(1)] * 4, [success(1), success(2), {"Status": "odd"}], [1, 2, 3]]
)
@pytest.mark.parametrize("status", [200, 400])
def test_rows_that_do_not_fit_the_batch_are_uncertain(
    fake_provider: FakeProvider, mailjet: Mailjet, rows: list[Any], status: int
) -> None:
    fake_provider.fault_always(answer(status, json.dumps({"Messages": rows}).encode()))
    outcome = mailjet.deliver(make_call())
    assert (outcome.verdict, dict(outcome.people)) == (Verdict.UNCERTAIN, {})


def test_a_refusal_without_rows_reached_nobody(fake_provider: FakeProvider, mailjet: Mailjet) -> None:
    body = b'{"ErrorIdentifier": "x", "ErrorCode": "mj-0002", "StatusCode": 400, "ErrorMessage": "Malformed JSON"}'
    fake_provider.fault_always(answer(400, body))
    outcome = mailjet.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, False)
    assert "Malformed JSON" in outcome.reason


def test_a_request_has_at_most_fifty_people(fake_provider: FakeProvider, mailjet: Mailjet) -> None:
    outcome = mailjet.deliver(make_call(*(make_recipient(number) for number in range(50))))
    assert outcome.verdict is Verdict.ACCEPTED
    assert len(fake_provider.accepted_counts()) == 50


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mailjet://s3cret@", "no secret key"),
        ("mailjet://s3cret:@", "no secret key"),
        ("mailjet://k:s3cr et@", "no secret key"),
        ("mailjet://:s3cret@", "has no key. Write mailjet://KEY:SECRET@"),
        ("mailjet://k:s3cret@example.org", "something after the @"),
        ("mailjet://k:s3cret@?max_batch=51", "from 1 to 50"),
    ],
)
def test_a_url_of_mailjet_that_cannot_be_used_says_why(url: str, says: str) -> None:
    with pytest.raises(BadProviderUrl, match=says) as caught:
        read_provider_url(url)
    assert "s3c" not in str(caught.value)
