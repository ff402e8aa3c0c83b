"""Requests to Mailgun follow its official specification, with the same bytes each time, whatever the content."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from newsletter.providers.base.contract import BatchCall, Verdict
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.providers.base.mail.headers import make_message_id, make_tag
from newsletter.providers.mailgun.adapter import Mailgun
from tests.support.fake_provider import FakeProvider
from tests.support.provider_fixtures import corpus, make_call, make_mail, make_recipient


@cache
def send_schema(path: Path) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is needed to read Mailgun's specification")
    spec = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    schema: dict[str, Any] = spec["components"]["schemas"][
        "POST-v3-domain_name-messages-multipart-form-data-RequestBody"
    ]
    return schema


def form_of(adapter: Mailgun, call: BatchCall) -> dict[str, Any]:
    """Give the request before it becomes multipart, in the specification's types: lists where it says array."""
    form: dict[str, Any] = {}
    for name, value in adapter.list_fields(call):
        if name in ("to", "o:tag"):
            form.setdefault(name, []).append(value)
        else:
            assert name not in form, f"{name} comes twice"
            form[name] = value
    return form


CALLS = {
    "three people": make_call(),
    "five hundred people": make_call(*(make_recipient(number) for number in range(500))),
    "no reply address": make_call(mail=make_mail(reply_to="")),
    "no headers": make_call(mail=make_mail(headers={})),
    "words of other scripts": make_call(mail=make_mail(from_name="Łódź \\ 東京", headers={"List-Id": "Łódź <a.b.c>"})),
    "no personal value at all": make_call(mail=make_mail(subject="Hi", html="<p>Hi</p>", text="Hi", headers={})),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_request_obeys_the_official_specification(mailgun: Mailgun, call: BatchCall) -> None:
    schema = send_schema(corpus("specs", "mailgun", "openapi.yaml"))
    form = form_of(mailgun, call)
    jsonschema.Draft202012Validator(schema).validate(form)
    unknown = {name for name in form if name not in schema["properties"] and name[:2] not in ("h:", "v:")}
    assert unknown == set()


def test_the_specification_would_notice_a_wrong_request(mailgun: Mailgun) -> None:
    schema = send_schema(corpus("specs", "mailgun", "openapi.yaml"))
    form = form_of(mailgun, make_call())
    for wrong in (
        {**form, "o:tracking": "off"},
        {**form, "to": "a@example.com"},
        {k: v for k, v in form.items() if k != "from"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate(wrong)


def test_the_same_batch_makes_the_same_bytes(mailgun: Mailgun) -> None:
    assert mailgun.build(make_call()) == mailgun.build(make_call())
    assert mailgun.build(make_call(key="batch-2")).body != mailgun.build(make_call()).body


def test_every_variable_is_given_for_every_person(mailgun: Mailgun) -> None:
    table = json.loads(form_of(mailgun, make_call())["recipient-variables"])
    used = {"t_first_name", "u_unsubscribe", "t_unsubscribe", "did"}
    assert [set(values) for values in table.values()] == [used] * 3


def test_a_value_that_differs_in_html_and_text_has_two_variables(mailgun: Mailgun) -> None:
    one = make_recipient(1)
    other = make_recipient(2)
    other = other._replace(variables={**other.variables, "h_first_name": "Ana &amp; Bo", "t_first_name": "Ana & Bo"})
    form = form_of(mailgun, make_call(one, other))
    table = json.loads(form["recipient-variables"])
    assert table[other.address]["h_first_name"] == "Ana &amp; Bo"
    assert table[other.address]["t_first_name"] == "Ana & Bo"
    assert "%recipient.h_first_name%" in form["html"]
    assert "%recipient.t_first_name%" in form["text"]


def test_a_link_that_is_the_same_everywhere_is_given_once(mailgun: Mailgun) -> None:
    people = [make_recipient(number) for number in range(3)]
    link = "https://news.example.org/u/"
    people = [
        person._replace(
            variables={
                **person.variables,
                "u_unsubscribe": f"{link}{person.delivery}",
                "t_unsubscribe": f"{link}{person.delivery}",
            }
        )
        for person in people
    ]
    form = form_of(mailgun, make_call(*people))
    assert all("t_unsubscribe" not in values for values in json.loads(form["recipient-variables"]).values())
    assert "%recipient.u_unsubscribe%" in form["text"]
    assert form["h:List-Unsubscribe"] == "<%recipient.u_unsubscribe%>"


def test_a_person_without_a_value_stops_the_batch_before_it_is_sent(
    fake_provider: FakeProvider, mailgun: Mailgun
) -> None:
    poor = make_recipient(2)
    poor = type(poor)(poor.delivery, poor.address, {k: v for k, v in poor.variables.items() if k != "h_first_name"})
    with pytest.raises(BadBatch, match="Delivery 2 has no value for h_first_name"):
        mailgun.deliver(make_call(make_recipient(1), poor))
    assert fake_provider.ledger == []


@pytest.mark.parametrize("count", [501, 1001])
def test_too_many_people_are_refused_before_the_call(fake_provider: FakeProvider, mailgun: Mailgun, count: int) -> None:
    with pytest.raises(BadBatch, match="takes 500"):
        mailgun.deliver(make_call(*(make_recipient(number) for number in range(count))))
    assert fake_provider.ledger == []


def test_a_batch_of_nobody_is_refused(mailgun: Mailgun) -> None:
    call = make_call()
    with pytest.raises(BadBatch, match="nobody"):
        mailgun.deliver(BatchCall(call.key, call.issue, call.variant, call.mail, ()))


def test_too_many_bytes_are_refused_before_the_call(mailgun: Mailgun) -> None:
    with pytest.raises(BadBatch, match="25,000,000"):
        mailgun.deliver(make_call(mail=make_mail(html="<p>" + "x" * 25_000_000)))


def test_headers_beyond_mailguns_16_kilobytes_are_refused(mailgun: Mailgun) -> None:
    with pytest.raises(BadBatch, match="16,384"):
        mailgun.build(make_call(mail=make_mail(headers={"X-Long": "x" * 16_500})))


def test_two_people_of_one_address_are_refused(mailgun: Mailgun) -> None:
    with pytest.raises(BadBatch, match="Deliveries 1 and 2"):
        mailgun.build(make_call(make_recipient(1, address="a@Example.com"), make_recipient(2, address="A@example.COM")))


def test_an_internationalised_domain_keeps_its_persons_values(fake_provider: FakeProvider, mailgun: Mailgun) -> None:
    mailgun.deliver(make_call(make_recipient(1, address="ana@BÜCHER.example", name="Ana")))
    (mail,) = fake_provider.mailbox("ana@xn--bcher-kva.example")
    assert mail.subject == "Good news for Ana"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@",
        "@b.example",
        "a b@x.example",
        '"a,b"@x.example',
        "a@x.example, b@x.example",
        "a@x.example\r\nBcc: b@x.example",
        "<a@x.example>",
        "ä@x.example",
        "a@x..example",
        "a@\u2028.example",
        "a" * 250 + "@x.example",
        "%recipient.did%@x.example",
    ],
)
def test_one_invalid_address_does_not_stop_the_others(
    fake_provider: FakeProvider, mailgun: Mailgun, address: str
) -> None:
    outcome = mailgun.deliver(
        make_call(make_recipient(1), type(make_recipient(2))(2, address, make_recipient(2).variables))
    )
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.people[2][0] is Verdict.REJECTED
    assert fake_provider.accepted_counts() == {"person1@example.com": 1}


def test_a_batch_of_addresses_that_cannot_be_sent_to_makes_no_call(
    fake_provider: FakeProvider, mailgun: Mailgun
) -> None:
    outcome = mailgun.deliver(make_call(make_recipient(1, address="nobody")))
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, False)
    assert fake_provider.ledger == []


HOSTILE = [
    "%recipient.did%",
    "%recipient.t_unsubscribe%",
    "%RECIPIENT.t_unsubscribe%",
    "%recipient%",
    "%recipient_email%",
    "%unsubscribe_url%",
    "%tag_unsubscribe_url%",
    "%mailing_list_unsubscribe_url%",
    "100%recipient.x%recipient.y%",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_that_looks_like_a_variable_is_read_as_it_was_written(
    fake_provider: FakeProvider, mailgun: Mailgun, title: str
) -> None:
    mail = make_mail(subject=title, html=f"<h1>{title}</h1>", text=title, from_name="Door")
    mailgun.deliver(make_call(mail=mail))
    (got,) = fake_provider.mailbox("person1@example.com")
    for text in (
        got.subject.replace("\u2060", ""),
        got.text.replace("\u2060", ""),
        got.html[4:-5].replace("&#37;", "%"),
    ):
        assert text == title
    for raw in (got.subject, got.text, got.html):
        assert not any(form in raw for form in HOSTILE[:7])


@pytest.mark.parametrize("name", HOSTILE)
def test_a_readers_name_that_looks_like_a_variable_is_only_a_name(
    fake_provider: FakeProvider, mailgun: Mailgun, name: str
) -> None:
    mailgun.deliver(make_call(make_recipient(1, name=name)))
    (got,) = fake_provider.mailbox("person1@example.com")
    assert got.subject.replace("\u2060", "") == f"Good news for {name}"
    assert name not in got.html
    assert name not in got.subject


def test_a_readers_name_cannot_add_a_header(fake_provider: FakeProvider, mailgun: Mailgun) -> None:
    mailgun.deliver(make_call(make_recipient(1, name="Eve\r\nBcc: everybody@example.com\u2028\x00x")))
    (got,) = fake_provider.mailbox("person1@example.com")
    assert got.subject == "Good news for Eve Bcc: everybody@example.com x"


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@example.com", "a\nb", "a\x00b", "a\u2028b", "a\u202eb", "a\u0085b"])
@pytest.mark.parametrize("field", ["subject", "from_name", "from_email", "reply_to"])
@pytest.mark.requirement("M2")
def test_a_line_break_or_control_character_in_a_header_is_refused(mailgun: Mailgun, field: str, bad: str) -> None:
    with pytest.raises(BadMail, match="line break or an invisible control character"):
        mailgun.build(make_call(mail=make_mail(**{field: bad})))


@pytest.mark.requirement("M2")
def test_naughty_subjects_and_names_are_sent_safely_or_refused(fake_provider: FakeProvider, mailgun: Mailgun) -> None:
    """With the whole list of naughty strings."""
    strings = json.loads(corpus("naughty-strings", "blns.json").read_text())
    sent = refused = 0
    for number, text in enumerate(strings):
        person = make_recipient(number, name=text)
        try:
            outcome = mailgun.deliver(make_call(person, key=f"naughty-{number}", mail=make_mail(subject=text)))
        except BadMail:
            refused += 1
            continue
        sent += 1
        assert outcome.verdict is Verdict.ACCEPTED, (text, outcome)
        (mail,) = fake_provider.mailbox(person.address)
        assert mail.subject.replace("\u2060", "") == text
    assert len(fake_provider.ledger) == sent == len(strings) - refused
    assert sent > 400


def test_a_batch_key_of_odd_letters_still_makes_a_valid_message_id() -> None:
    assert make_message_id("send-1.batch_2", domain="d.example") == "send-1.batch_2@d.example"
    odd = make_message_id("sénd 1/<batch>", domain="d.example")
    assert odd == make_message_id("sénd 1/<batch>", domain="d.example")
    assert odd.isascii()
    assert "<" not in odd


def test_an_issues_name_becomes_a_short_ascii_tag() -> None:
    assert make_tag("weekly/12") == "weekly-12"
    assert make_tag("ねこ") == "newsletter"
    assert len(make_tag("x" * 500)) == 128


def test_the_adapter_says_what_it_can_do(mailgun: Mailgun) -> None:
    can = mailgun.capabilities
    assert (can.name, can.merge, can.max_batch, can.atomic, can.idempotency_seconds) == (
        "mailgun",
        "substitute",
        500,
        True,
        0,
    )
