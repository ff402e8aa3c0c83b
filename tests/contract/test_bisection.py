"""A refusal that may be about one person asks for smaller batches; one about the mail or our account never does."""

import json
from typing import Any

import pytest

from newsletter.providers.base.contract import Verdict
from newsletter.providers.registry import make_adapter
from tests.support.fake_provider import FakeProvider
from tests.support.provider_faults import answer
from tests.support.provider_fixtures import make_call, make_recipient

ABOUT_PEOPLE = [
    ("mailgun", 400, {"message": "'to' parameter is not a valid address. please check documentation"}),
    ("mailgun", 400, {"message": "to parameter is not a valid address. please check documentation"}),
    ("sendgrid", 400, {"errors": [{"field": "personalizations.1.to.0.email", "message": "not a valid address"}]}),
    ("sendgrid", 400, {"errors": [{"field": "personalizations", "message": "each email must be unique"}]}),
    ("resend", 422, {"name": "validation_error", "message": "Invalid `to` field. The email address needs to be ..."}),
    ("brevo", 400, {"code": "invalid_parameter", "message": "email is not valid in to"}),
    ("brevo", 400, {"code": "invalid_parameter", "message": "messageVersions[2].to[0] is wrong"}),
    ("sparkpost", 400, {"errors": [{"message": "At least one valid recipient is required", "code": "5002"}]}),
    ("ses", 400, {"message": "Illegal address"}),
]
ABOUT_THE_MAIL = [
    ("mailgun", 400, {"message": "'from' parameter is not a valid address. please check documentation"}),
    ("mailgun", 400, {"message": "Need at least one of 'text', 'html' parameters specified"}),
    ("mailgun", 400, {"message": "Send options (parameters starting with o:, h:) are limited to 16KB total"}),
    ("mailgun", 400, {"message": "Domain news.example.org is not allowed to send: unverified"}),
    ("sendgrid", 400, {"errors": [{"field": "from", "message": "The from address does not match a verified Sender"}]}),
    ("sendgrid", 400, {"errors": [{"field": "content.0.value", "message": "must be at least one character"}]}),
    ("resend", 422, {"name": "missing_required_field", "message": "Missing `subject` field"}),
    ("resend", 422, {"name": "validation_error", "message": "Invalid `from` field"}),
    ("brevo", 400, {"code": "missing_parameter", "message": "sender is missing"}),
    ("brevo", 400, {"code": "invalid_parameter", "message": "htmlContent is too short"}),
    ("sparkpost", 400, {"errors": [{"message": "Invalid domain", "description": "Unconfigured sending domain."}]}),
    ("sparkpost", 422, {"errors": [{"message": "substitution language syntax error in template content"}]}),
    ("ses", 400, {"message": "Invalid template content"}),
]
SCHEMES = ["mailgun", "sendgrid", "resend", "brevo", "sparkpost", "ses"]


def refuse(provider: FakeProvider, scheme: str, status: int, body: dict[str, Any], *, people: int = 3) -> Any:
    adapter = make_adapter(provider.url_of(scheme))
    provider.fault_always(answer(status, json.dumps(body).encode()))
    outcome = adapter.deliver(make_call(*(make_recipient(n) for n in range(people))))
    adapter.close()
    return outcome


@pytest.mark.parametrize(("scheme", "status", "body"), ABOUT_PEOPLE, ids=range(len(ABOUT_PEOPLE)))
def test_a_refusal_about_somebodys_address_asks_for_smaller_batches(
    fake_provider: FakeProvider, scheme: str, status: int, body: dict[str, Any]
) -> None:
    outcome = refuse(fake_provider, scheme, status, body)
    assert (outcome.verdict, outcome.bisect) == (Verdict.REJECTED, True)


@pytest.mark.parametrize(("scheme", "status", "body"), ABOUT_PEOPLE, ids=range(len(ABOUT_PEOPLE)))
def test_a_batch_of_one_cannot_be_made_smaller(
    fake_provider: FakeProvider, scheme: str, status: int, body: dict[str, Any]
) -> None:
    outcome = refuse(fake_provider, scheme, status, body, people=1)
    assert (outcome.verdict, outcome.bisect) == (Verdict.REJECTED, False)


@pytest.mark.parametrize(("scheme", "status", "body"), ABOUT_THE_MAIL, ids=range(len(ABOUT_THE_MAIL)))
def test_a_refusal_about_the_mail_does_not_ask_for_smaller_batches(
    fake_provider: FakeProvider, scheme: str, status: int, body: dict[str, Any]
) -> None:
    outcome = refuse(fake_provider, scheme, status, body)
    assert (outcome.verdict, outcome.bisect) == (Verdict.REJECTED, False)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_refusal_that_names_nothing_may_be_about_one_person(fake_provider: FakeProvider, scheme: str) -> None:
    assert refuse(fake_provider, scheme, 400, {}).bisect is True


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_batch_that_is_too_big_asks_for_smaller_ones(fake_provider: FakeProvider, scheme: str) -> None:
    assert refuse(fake_provider, scheme, 413, {"message": "content too large"}).bisect is True


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_other_answer_asks_for_smaller_batches(fake_provider: FakeProvider, scheme: str, status: int) -> None:
    assert refuse(fake_provider, scheme, status, {"message": "recipient"}).bisect is False


def test_postmark_answers_for_each_person_and_need_not_be_asked_in_parts(fake_provider: FakeProvider) -> None:
    said = {"ErrorCode": 300, "Message": "Invalid 'To' address"}
    assert refuse(fake_provider, "postmark", 422, said).bisect is False


def test_one_bad_address_at_mailgun_is_isolated_by_halving(fake_provider: FakeProvider) -> None:
    fake_provider.fault_for(
        "person3@example.com", answer(400, b'{"message": "\'to\' parameter is not a valid address"}')
    )
    adapter = make_adapter(fake_provider.provider_url)
    waiting, refused = [list(range(8))], []
    for _ in range(20):
        if not waiting:
            break
        batch = waiting.pop()
        key = "-".join(map(str, batch))
        outcome = adapter.deliver(make_call(*(make_recipient(n) for n in batch), key=key))
        if outcome.bisect:
            waiting += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
        elif outcome.verdict is Verdict.REJECTED:
            refused += batch
    adapter.close()
    assert (waiting, refused) == ([], [3])
    assert fake_provider.accepted_counts() == {f"person{n}@example.com": 1 for n in range(8) if n != 3}
