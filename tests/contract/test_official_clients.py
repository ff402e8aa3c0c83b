"""Requests against what the providers publish where it is no JSON schema of today: Brevo's Swagger, SparkPost's blueprint,
Amazon's service model; and the questions about lost batches against their lists of parameters."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
import yaml
from botocore.session import get_session
from botocore.validate import ParamValidator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from newsletter.providers.base.contract import Verdict
from newsletter.providers.registry import make_adapter
from tests.support.fake_provider import FakeProvider
from tests.support.provider_accounts import REGION
from tests.support.provider_fixtures import corpus, make_call, make_mail, make_recipient
from tests.support.provider_templates import SECRET

MAILS = [make_mail(), make_mail(reply_to="", headers={}, subject="Hi", html="<p>Hi</p>", text="Hi", from_name="")]


def body_of(provider: FakeProvider, scheme: str, *, mail: Any, people: int = 3) -> Any:
    adapter: Any = make_adapter(provider.url_of(scheme))
    return json.loads(adapter.build(make_call(*(make_recipient(n) for n in range(people)), mail=mail)).body)


@pytest.mark.parametrize("mail", MAILS, ids=["rich", "bare"])
def test_a_brevo_request_obeys_its_swagger(fake_provider: FakeProvider, mail: Any) -> None:
    spec = yaml.load(corpus("specs", "brevo", "swagger.yaml").read_text(), Loader=yaml.CSafeLoader)
    definitions = {"definitions": spec["definitions"]}
    registry: Any = Registry().with_resource("urn:spec", DRAFT4.create_resource(definitions))
    check = jsonschema.Draft4Validator({"$ref": "urn:spec#/definitions/sendSmtpEmail"}, registry=registry)
    body = body_of(fake_provider, "brevo", mail=mail)
    check.validate(body)
    assert set(body) <= set(spec["definitions"]["sendSmtpEmail"]["properties"])
    version = spec["definitions"]["sendSmtpEmail_messageVersions"]["properties"]
    assert {name for each in body["messageVersions"] for name in each} - set(version) == {"headers"}
    wrong: list[dict[str, Any]] = [{"messageVersions": [{"params": {}}]}, {"sender": "a"}, {"tags": [1]}]
    for broken in wrong:
        with pytest.raises(jsonschema.ValidationError):
            check.validate({**body, **broken})


def documented(text: str, heading: str, *, until: str) -> set[str]:
    """Give the names of the attributes that a blueprint lists between two headings."""
    part = text.split(heading, 1)[1].split(until, 1)[0]
    return set(re.findall(r"^\s*\+ ([a-z_]+) \(", part, re.MULTILINE))


@pytest.mark.parametrize("mail", MAILS, ids=["rich", "bare"])
def test_a_sparkpost_request_uses_only_what_its_blueprint_lists(fake_provider: FakeProvider, mail: Any) -> None:
    text = corpus("specs", "sparkpost", "transmissions.apib").read_text()
    outer = documented(text, "### Request Body", until="+ Sample")
    content = documented(text, "### Send Inline Content", until="#### Header Notes")
    assert {"campaign_id", "recipients", "open_tracking"} <= outer
    body = body_of(fake_provider, "sparkpost", mail=mail)
    assert set(body) | set(body["options"]) <= outer
    assert set(body["content"]) <= content
    assert set(body["content"]["from"]) <= {"name", "email"}
    assert {name for each in body["recipients"] for name in each} == {"address", "metadata", "substitution_data"}
    assert len(json.dumps(body["metadata"])) < 10_000
    assert all(type(value) is bool for value in body["options"].values())


@pytest.mark.parametrize("mail", MAILS, ids=["rich", "bare"])
def test_a_ses_request_obeys_amazons_model(fake_provider: FakeProvider, mail: Any) -> None:
    operation = get_session().get_service_model("sesv2").operation_model("SendBulkEmail")
    body = body_of(fake_provider, "ses", mail=mail, people=50)
    report = ParamValidator().validate(body, operation.input_shape)
    assert not report.has_errors(), report.generate_report()
    assert ParamValidator().validate({**body, "FromEmail": "a"}, operation.input_shape).has_errors()
    for entry in body["BulkEmailEntries"]:
        for header in entry["ReplacementHeaders"]:
            assert re.fullmatch(r"[ -~]{1,995}", header["Value"])
        for tag in entry["ReplacementTags"]:
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,256}", tag["Value"])


def test_amazons_own_client_makes_the_same_call_and_signature(fake_provider: FakeProvider) -> None:
    """The fake provider signs every request again with the account's secret and refuses any other."""
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config

    adapter: Any = make_adapter(fake_provider.url_of("ses"))
    assert adapter.deliver(make_call()).verdict is Verdict.ACCEPTED
    client = boto3.client(
        "sesv2",
        region_name=REGION,
        endpoint_url=fake_provider.endpoint,
        aws_access_key_id=fake_provider.key,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    request = adapter.build(make_call())
    answer = client.send_bulk_email(**json.loads(request.body))
    client.close()
    adapter.close()
    assert [row["Status"] for row in answer["BulkEmailEntryResults"]] == ["SUCCESS"] * 3
    ours, theirs = fake_provider.accepted()
    assert (ours.path, ours.form) == (theirs.path, theirs.form)


def parameters(provider: FakeProvider, scheme: str) -> set[str]:
    adapter: Any = make_adapter(provider.url_of(scheme))
    adapter.find_batch(key="batch-1", deliveries=[1], sent_at=datetime.now(UTC))
    adapter.close()
    return set(parse_qs(urlsplit(provider.queries[-1]).query))


def test_questions_use_only_parameters_that_are_documented(fake_provider: FakeProvider) -> None:
    brevo = yaml.load(corpus("specs", "brevo", "swagger.yaml").read_text(), Loader=yaml.CSafeLoader)
    rows = brevo["paths"]["/smtp/statistics/events"]["get"]["parameters"]
    assert parameters(fake_provider, "brevo") <= {row["name"] for row in rows}
    mailgun = yaml.load(corpus("specs", "mailgun", "openapi.yaml").read_text(), Loader=yaml.CSafeLoader)
    rows = mailgun["paths"]["/v3/{domain_name}/events"]["get"]["parameters"]
    assert parameters(fake_provider, "mailgun") <= {row["name"] for row in rows}
    postmark = json.loads(corpus("specs", "postmark", "server.json").read_text())
    rows = postmark["paths"]["/messages/outbound"]["get"]["parameters"]
    newer = {"messagestream", "metadata_batch"}
    assert parameters(fake_provider, "postmark") - newer <= {row["name"] for row in rows}
    text = corpus("specs", "sparkpost", "events.apib").read_text()
    found = re.search(r"GET /v1/events/message\{\?(ab_tests[^}]*)\}", text)
    assert found is not None
    assert parameters(fake_provider, "sparkpost") <= set(found.group(1).split(","))
