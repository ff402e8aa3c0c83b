"""Brevo's escaping and key, SparkPost's partial answers, SES's entries and signature."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from newsletter.providers.base.contract import Verdict
from newsletter.providers.base.errors import BadBatch, BadProviderUrl
from newsletter.providers.brevo.adapter import Brevo, make_batch_uuid
from newsletter.providers.registry import make_adapter
from newsletter.providers.ses.adapter import Ses, build_endpoint
from newsletter.providers.sparkpost.adapter import SparkPost, make_campaign_id
from tests.support.fake_provider import FakeProvider
from tests.support.provider_accounts import REGION
from tests.support.provider_faults import Fault, answer
from tests.support.provider_fixtures import make_call, make_mail, make_recipient
from tests.support.provider_templates import SECRET


@pytest.fixture
def brevo(fake_provider: FakeProvider) -> Iterator[Brevo]:
    made = Brevo(key=fake_provider.key, endpoint=fake_provider.endpoint)
    yield made
    made.close()


@pytest.fixture
def sparkpost(fake_provider: FakeProvider) -> Iterator[SparkPost]:
    made = SparkPost(key=fake_provider.key, endpoint=fake_provider.endpoint)
    yield made
    made.close()


@pytest.fixture
def ses(fake_provider: FakeProvider) -> Iterator[Ses]:
    made = Ses(key=fake_provider.key, secret=SECRET, region=REGION, endpoint=fake_provider.endpoint)
    yield made
    made.close()


CSS = "<style>@media{.a{width:50%}} {{#b}} {%c%}</style>"


@pytest.mark.parametrize("scheme", ["brevo", "sparkpost", "ses"])
def test_braces_of_the_editors_are_shown_and_styles_stay_styles(fake_provider: FakeProvider, scheme: str) -> None:
    adapter = make_adapter(fake_provider.url_of(scheme))
    mail = make_mail(
        html=f"{CSS}<p>{{{{x}}}} {{%if%}} {{#c#}} {{__pv_h_first_name__}}</p>",
        text="{{x}} {%if%} {#c#} {__pv_t_first_name__}",
        headers={"List-Id": "{{x}} <a.news.example.org>"},
    )
    assert adapter.deliver(make_call(make_recipient(1, name="{{y}}"), mail=mail)).verdict is Verdict.ACCEPTED
    adapter.close()
    (got,) = fake_provider.mailbox("person1@example.com")
    style, body = got.html.split("</style>")
    assert style == "<style>@media{.a{width:50%}} { { #b}} { %c%}"
    assert body.replace("&#123;", "{").replace("&#125;", "}") == "<p>{{x}} {%if%} {#c#} {{{y}}}</p>"
    assert got.text.replace("\u2060", "") == "{{x}} {%if%} {#c#} {{{y}}}"
    assert "{{" not in got.text + body


def test_brevo_gets_its_key_and_our_ids_inside_the_body(brevo: Brevo) -> None:
    payload = json.loads(brevo.build(make_call(make_recipient(7))).body)
    assert payload["headers"] == {"idempotencyKey": make_batch_uuid("batch-1")}
    assert payload["batchId"] == make_batch_uuid("batch-1") == make_batch_uuid("batch-1") != make_batch_uuid("batch-2")
    (version,) = payload["messageVersions"]
    assert json.loads(version["headers"]["X-Mailin-custom"]) == {
        "delivery": "7",
        "batch": "batch-1",
        "issue": "weekly/12",
    }
    assert "batch-1" in payload["tags"]


def test_brevo_called_again_sends_once_and_leaves_the_batch_uncertain(
    fake_provider: FakeProvider, brevo: Brevo
) -> None:
    fake_provider.fault_next(Fault("reset_after_accepting"))
    assert brevo.deliver(make_call()).verdict is Verdict.UNCERTAIN
    again = brevo.deliver(make_call())
    assert (again.verdict, again.stop) == (Verdict.UNCERTAIN, False)
    assert "has seen this batch before" in again.reason
    assert fake_provider.accepted_counts() == {f"person{n}@example.com": 1 for n in (1, 2, 3)}


@pytest.mark.parametrize("code", ["duplicate_parameter", "duplicate_request"])
def test_brevo_calling_anything_a_duplicate_is_never_taken_for_a_refusal(
    fake_provider: FakeProvider, brevo: Brevo, code: str
) -> None:
    fake_provider.fault_always(answer(400, json.dumps({"code": code, "message": "seen"}).encode()))
    assert brevo.deliver(make_call()).verdict is Verdict.UNCERTAIN


def test_brevo_called_again_after_a_request_that_it_never_took_sends_now(
    fake_provider: FakeProvider, brevo: Brevo
) -> None:
    fake_provider.fault_next(answer(502))
    assert brevo.deliver(make_call()).verdict is Verdict.UNCERTAIN
    assert brevo.deliver(make_call()).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("code", ["not_enough_credits", "account_under_validation", "permission_denied"])
def test_brevo_refusing_our_account_stops_the_send(fake_provider: FakeProvider, brevo: Brevo, code: str) -> None:
    fake_provider.fault_always(answer(400, json.dumps({"code": code, "message": "no"}).encode()))
    outcome = brevo.deliver(make_call())
    assert (outcome.verdict, outcome.stop, outcome.bisect) == (Verdict.REJECTED, True, False)


@pytest.mark.parametrize("ids", [["a"], ["a"] * 4, ["a", "b", ""], ["a", "b", 3], "abc"])
def test_brevo_answering_for_another_number_of_people_is_uncertain(
    fake_provider: FakeProvider, brevo: Brevo, ids: object
) -> None:
    fake_provider.fault_always(answer(201, json.dumps({"messageIds": ids}).encode()))
    assert brevo.deliver(make_call()).verdict is Verdict.UNCERTAIN


def test_brevo_takes_one_person_and_gives_one_id(fake_provider: FakeProvider, brevo: Brevo) -> None:
    fake_provider.fault_always(answer(201, b'{"messageId": "<1@relay>"}'))
    outcome = brevo.deliver(make_call(make_recipient(1)))
    assert (outcome.verdict, outcome.provider_id) == (Verdict.ACCEPTED, "1@relay")


@pytest.mark.parametrize(("count", "size"), [(1, 100_001), (20, 60_000)])
def test_brevo_refuses_values_beyond_its_limits_before_the_call(
    fake_provider: FakeProvider, brevo: Brevo, count: int, size: int
) -> None:
    people = [make_recipient(n, h_first_name="x" * size) for n in range(count)]
    with pytest.raises(BadBatch, match=r"Brevo takes 1,000,000 and 100,000"):
        brevo.deliver(make_call(*people))
    assert fake_provider.ledger == []


def test_brevo_takes_as_many_people_as_its_record_says_will_fit(fake_provider: FakeProvider, brevo: Brevo) -> None:
    fits = brevo.capabilities.count_people_per_call(mail_bytes=500, variable_bytes=4_000)
    assert fits == 250
    people = [make_recipient(n, h_first_name="x" * 3_700) for n in range(fits)]
    assert brevo.deliver(make_call(*people)).verdict is Verdict.ACCEPTED


@pytest.mark.requirement("F7")
def test_sparkpost_naming_whom_it_refused_is_believed(fake_provider: FakeProvider, sparkpost: SparkPost) -> None:
    fake_provider.refuse_person("person2@example.com", 1300)
    outcome = sparkpost.deliver(make_call())
    assert outcome.verdict is Verdict.ACCEPTED
    assert {n: verdict for n, (verdict, _) in outcome.people.items()} == {2: Verdict.REJECTED}
    assert "person2@" not in outcome.people[2][1]


def results(taken: object, refused: object, errors: object = None, **more: object) -> bytes:
    row = {"id": "77", "total_accepted_recipients": taken, "total_rejected_recipients": refused, **more}
    return json.dumps({"results": {**row, "rcpt_to_errors": errors}}).encode()


def test_sparkpost_not_naming_whom_it_refused_leaves_everybody_uncertain(
    fake_provider: FakeProvider, sparkpost: SparkPost
) -> None:
    fake_provider.fault_always(answer(200, results(2, 1, [{"message": "required field is missing"}])))
    outcome = sparkpost.deliver(make_call())
    assert (outcome.verdict, outcome.provider_id, dict(outcome.people)) == (Verdict.UNCERTAIN, "77", {})
    assert "did not say which" in outcome.reason


def test_sparkpost_refusing_all_people_is_a_refusal(fake_provider: FakeProvider, sparkpost: SparkPost) -> None:
    fake_provider.fault_always(answer(200, results(0, 3, [{"message": "bad"}, 5])))
    outcome = sparkpost.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, False)


@pytest.mark.parametrize(
    "body", [results(4, 0), results(1, 1), results("3", 0), results(True, 2), results(4, -1), results(3, 0, id=5)]
)
@pytest.mark.requirement("F9")
def test_sparkpost_sums_that_are_not_ours_are_uncertain(
    fake_provider: FakeProvider, sparkpost: SparkPost, body: bytes
) -> None:
    fake_provider.fault_always(answer(200, body))
    assert sparkpost.deliver(make_call()).verdict is Verdict.UNCERTAIN


def test_sparkpost_over_its_quota_sent_nothing_and_waits(fake_provider: FakeProvider, sparkpost: SparkPost) -> None:
    said = b'{"errors": [{"message": "Exceed Sending Limit (daily)", "code": "2102"}]}'
    fake_provider.fault_always(answer(420, said))
    outcome = sparkpost.deliver(make_call())
    assert (outcome.verdict, outcome.retry_after) == (Verdict.THROTTLED, 900.0)
    assert "Exceed Sending Limit" in outcome.reason


def test_sparkpost_tracks_nobody_and_knows_the_batch_by_its_campaign(sparkpost: SparkPost) -> None:
    payload = json.loads(sparkpost.build(make_call()).body)
    assert payload["options"] == {
        "open_tracking": False,
        "initial_open": False,
        "click_tracking": False,
        "transactional": False,
    }
    assert payload["campaign_id"] == "batch-1"
    assert len(make_campaign_id("é" * 100).encode()) == 64


def test_sparkpost_refuses_values_beyond_its_limit_before_the_call(
    fake_provider: FakeProvider, sparkpost: SparkPost
) -> None:
    with pytest.raises(BadBatch, match="Delivery 2 has personal values of 1"):
        sparkpost.deliver(make_call(make_recipient(1), make_recipient(2, h_first_name="x" * 100_000)))
    assert fake_provider.ledger == []


SES_STATUSES = [
    ("MESSAGE_REJECTED", Verdict.REJECTED, False),
    ("INVALID_PARAMETER", Verdict.REJECTED, False),
    ("TRANSIENT_FAILURE", Verdict.THROTTLED, False),
    ("ACCOUNT_THROTTLED", Verdict.THROTTLED, False),
    ("ACCOUNT_DAILY_QUOTA_EXCEEDED", Verdict.THROTTLED, False),
    ("FAILED", Verdict.UNCERTAIN, False),
    ("SOMETHING_NEW", Verdict.UNCERTAIN, False),
    ("ACCOUNT_SUSPENDED", Verdict.REJECTED, True),
    ("ACCOUNT_SENDING_PAUSED", Verdict.REJECTED, True),
    ("CONFIGURATION_SET_SENDING_PAUSED", Verdict.REJECTED, True),
    ("CONFIGURATION_SET_NOT_FOUND", Verdict.REJECTED, True),
    ("MAIL_FROM_DOMAIN_NOT_VERIFIED", Verdict.REJECTED, True),
    ("TEMPLATE_NOT_FOUND", Verdict.REJECTED, True),
    ("INVALID_SENDING_POOL_NAME", Verdict.REJECTED, True),
]


@pytest.mark.parametrize(("status", "verdict", "stop"), SES_STATUSES)
@pytest.mark.requirement("F7")
def test_ses_has_a_verdict_for_each_entry(
    fake_provider: FakeProvider, ses: Ses, status: str, verdict: Verdict, stop: bool
) -> None:
    """Whoever was left out because of our account was not sent, and is tried again alone."""
    fake_provider.refuse_person("person2@example.com", status)
    outcome = ses.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.ACCEPTED, False)
    assert {n: each for n, (each, _) in outcome.people.items()} == {2: Verdict.NOT_SENT if stop else verdict}
    assert "person2@" not in repr(outcome)


@pytest.mark.parametrize(("status", "verdict", "stop"), SES_STATUSES)
def test_ses_saying_the_same_of_everybody_says_it_of_the_batch(
    fake_provider: FakeProvider, ses: Ses, status: str, verdict: Verdict, stop: bool
) -> None:
    for number in (1, 2, 3):
        fake_provider.refuse_person(f"person{number}@example.com", status)
    outcome = ses.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (verdict, stop)
    assert {each for each, _ in outcome.people.values()} <= {verdict}
    assert outcome.retry_after == (3600 if "QUOTA" in status else None)


@pytest.mark.parametrize("scheme", ["ses", "postmark"])
@pytest.mark.requirement("F7")
def test_recipients_who_have_the_mail_are_left_out_of_a_retry(fake_provider: FakeProvider, scheme: str) -> None:
    """One of five was taken before the account was slowed down."""
    adapter = make_adapter(fake_provider.url_of(scheme))
    for number in (2, 3, 4, 5):
        fake_provider.refuse_person(f"person{number}@example.com", "ACCOUNT_THROTTLED" if scheme == "ses" else 429)
    outcome = adapter.deliver(make_call(*(make_recipient(n) for n in (1, 2, 3, 4, 5))))
    adapter.close()
    assert outcome.verdict is Verdict.ACCEPTED
    assert {n: each for n, (each, _) in outcome.people.items()} == dict.fromkeys((2, 3, 4, 5), Verdict.THROTTLED)


@pytest.mark.parametrize("scheme", ["ses", "postmark"])
def test_an_account_that_is_closed_in_the_middle_of_a_batch_repeats_nobody(
    fake_provider: FakeProvider, scheme: str
) -> None:
    adapter = make_adapter(fake_provider.url_of(scheme))
    for number in (2, 3):
        fake_provider.refuse_person(f"person{number}@example.com", "ACCOUNT_SUSPENDED" if scheme == "ses" else 405)
    first = adapter.deliver(make_call())
    rest = [make_recipient(n) for n, (verdict, _) in first.people.items() if verdict is Verdict.NOT_SENT]
    second = adapter.deliver(make_call(*rest, key="batch-2"))
    adapter.close()
    assert (first.verdict, first.stop) == (Verdict.ACCEPTED, False)
    assert (len(rest), second.verdict, second.stop) == (2, Verdict.REJECTED, True)


def test_ses_has_a_verdict_for_every_status_of_the_official_model() -> None:
    from botocore.session import get_session

    statuses = get_session().get_service_model("sesv2").shape_for("BulkEmailStatus").enum
    assert set(statuses) == {"SUCCESS", *(status for status, _, _ in SES_STATUSES if status != "SOMETHING_NEW")}


@pytest.mark.parametrize(
    ("status", "kind", "verdict", "stop", "wait"),
    [
        (429, "TooManyRequestsException", Verdict.THROTTLED, False, None),
        (400, "ThrottlingException", Verdict.THROTTLED, False, None),
        (400, "LimitExceededException", Verdict.THROTTLED, False, 3600.0),
        (400, "AccountSuspendedException", Verdict.REJECTED, True, None),
        (400, "SendingPausedException", Verdict.REJECTED, True, None),
        (400, "MailFromDomainNotVerifiedException", Verdict.REJECTED, True, None),
        (404, "NotFoundException", Verdict.REJECTED, True, None),
        (403, "AccessDeniedException", Verdict.REJECTED, True, None),
        (400, "ExpiredTokenException", Verdict.REJECTED, True, None),
        (400, "BadRequestException", Verdict.REJECTED, False, None),
        (400, "MessageRejected", Verdict.REJECTED, False, None),
        (500, "InternalServiceErrorException", Verdict.UNCERTAIN, False, None),
        (500, "ThrottlingException", Verdict.UNCERTAIN, False, None),
    ],
)
@pytest.mark.parametrize("in_header", [True, False])
def test_ses_errors_are_classified_by_their_names(
    fake_provider: FakeProvider,
    ses: Ses,
    status: int,
    kind: str,
    verdict: Verdict,
    stop: bool,
    wait: float | None,
    in_header: bool,
) -> None:
    if in_header:
        fault = answer(status, b'{"message": "why"}', x_amzn_errortype=f"{kind}:http://internal.amazon.com/x/")
    else:
        fault = answer(status, json.dumps({"__type": f"com.amazonaws#{kind}", "message": "why"}).encode())
    fake_provider.fault_always(fault)
    outcome = ses.deliver(make_call())
    assert (outcome.verdict, outcome.stop, outcome.retry_after) == (verdict, stop, wait)
    assert f"{kind} why" in outcome.reason


@pytest.mark.parametrize("rows", [[], [{"Status": "SUCCESS", "MessageId": "a"}] * 2, [{"Status": "SUCCESS"}] * 4])
def test_ses_answering_for_another_number_of_people_is_uncertain(
    fake_provider: FakeProvider, ses: Ses, rows: list[object]
) -> None:
    fake_provider.fault_always(answer(200, json.dumps({"BulkEmailEntryResults": rows}).encode()))
    outcome = ses.deliver(make_call())
    assert (outcome.verdict, dict(outcome.people)) == (Verdict.UNCERTAIN, {})


@pytest.mark.parametrize("row", [None, 5, {}, {"Status": "SUCCESS"}, {"Status": "SUCCESS", "MessageId": 7}])
def test_a_ses_row_that_cannot_be_read_is_uncertain_for_that_person(
    fake_provider: FakeProvider, ses: Ses, row: object
) -> None:
    good = {"Status": "SUCCESS", "MessageId": "a"}
    fake_provider.fault_always(answer(200, json.dumps({"BulkEmailEntryResults": [good, good, row]}).encode()))
    outcome = ses.deliver(make_call())
    assert outcome.verdict is Verdict.ACCEPTED
    assert {n: verdict for n, (verdict, _) in outcome.people.items()} == {3: Verdict.UNCERTAIN}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"headers": {f"X-Own-{n}": "a" for n in range(16)}}, "18 headers of its own; Amazon SES takes 15"),
        ({"headers": {"X-Own": "a" * 996}}, "X-Own of delivery 1 has 996 characters"),
        ({"headers": {"X-" + "O" * 40: "a" * 960}}, "of delivery 1 has 960 characters"),
    ],
)
def test_headers_beyond_what_ses_takes_are_refused_before_the_call(
    fake_provider: FakeProvider, ses: Ses, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadBatch, match=says):
        ses.deliver(make_call(make_recipient(1), mail=make_mail(**change)))
    assert fake_provider.ledger == []


def test_values_beyond_what_ses_takes_are_refused_before_the_call(fake_provider: FakeProvider, ses: Ses) -> None:
    with pytest.raises(BadBatch, match="Delivery 1 has personal values of 2"):
        ses.deliver(make_call(make_recipient(1, h_first_name="é" * 131_100)))
    assert fake_provider.ledger == []


def test_a_ses_sender_of_other_scripts_is_written_in_ascii(fake_provider: FakeProvider, ses: Ses) -> None:
    request = ses.build(make_call(mail=make_mail(from_name="Łódź, News")))
    assert json.loads(request.body)["FromEmailAddress"].isascii()
    ses.deliver(make_call(mail=make_mail(from_name="Łódź, News")))
    assert fake_provider.mailbox("person1@example.com")[0].sender == "Łódź, News <news@news.example.org>"


def test_ses_mail_carries_its_configuration_set(fake_provider: FakeProvider) -> None:
    adapter: Any = make_adapter(fake_provider.url_of("ses") + "&configuration_set=weekly-news")
    assert json.loads(adapter.build(make_call()).body)["ConfigurationSetName"] == "weekly-news"
    plain: Any = make_adapter(fake_provider.url_of("ses"))
    assert "ConfigurationSetName" not in json.loads(plain.build(make_call()).body)


def test_the_ses_secret_is_masked_in_errors(fake_provider: FakeProvider, ses: Ses) -> None:
    fake_provider.fault_always(answer(400, json.dumps({"message": f"bad {SECRET} {fake_provider.key}"}).encode()))
    outcome = ses.deliver(make_call())
    assert "bad (key) (key)" in outcome.reason


def test_ses_listens_in_its_region() -> None:
    assert build_endpoint("eu-west-1") == "https://email.eu-west-1.amazonaws.com"
    assert build_endpoint("cn-north-1") == "https://email.cn-north-1.amazonaws.com.cn"


def test_ses_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("botocore.auth", "botocore.awsrequest", "botocore.credentials"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BadProviderUrl, match=rf"{sys.executable} -m pip install 'newsletter\[ses\]'"):
        make_adapter("ses://key:s3cret@eu-west-1")
