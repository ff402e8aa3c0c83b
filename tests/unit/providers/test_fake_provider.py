"""The fake provider refuses the requests that Mailgun refuses, and its ledger is right."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests

from newsletter.providers.registry import make_adapter
from tests.support.fake_provider import FakeProvider
from tests.support.provider_faults import Fault, answer, too_many
from tests.support.provider_fixtures import make_call, make_recipient


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    made = FakeProvider().start()
    yield made
    made.stop()


def post(provider: FakeProvider, fields: list[tuple[str, str]], **more: object) -> requests.Response:
    url = f"{provider.endpoint}/v3/{provider.domain}/messages"
    files = [(name, (None, value)) for name, value in fields]
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, files=files, **{"auth": ("api", provider.key), "timeout": 5, **more})  # type: ignore[arg-type]


GOOD = [
    ("from", "a@x.example"),
    ("to", "b@x.example"),
    ("to", "c@x.example, d@x.example"),
    ("subject", "Hi"),
    ("text", "Hi %recipient.n%"),
]


def without(name: str) -> list[tuple[str, str]]:
    return [field for field in GOOD if field[0] != name]


def test_it_takes_a_form_that_another_client_made(provider: FakeProvider) -> None:
    table = json.dumps({"b@x.example": {"n": "Bo"}})
    response = post(provider, [*GOOD, ("recipient-variables", table)])
    assert response.status_code == 200
    assert response.json()["id"].endswith("@news.example.org>")
    assert provider.accepted_counts() == {"b@x.example": 1, "c@x.example": 1, "d@x.example": 1}
    assert provider.mailbox("b@x.example")[0].text == "Hi Bo"


def test_a_variable_that_was_not_given_stays_raw_for_the_test_to_see(provider: FakeProvider) -> None:
    post(provider, GOOD)
    assert provider.mailbox("c@x.example")[0].text == "Hi %recipient.n%"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (without("from"), "from parameter is missing"),
        (without("to"), "to parameter is missing"),
        (without("subject"), "subject parameter is missing"),
        (without("text"), "Need at least one of"),
        ([*GOOD, ("to", "nobody")], "not a valid address"),
        ([*GOOD, *(("to", f"p{n}@x.example") for n in range(1001))], "too many recipients"),
        ([*GOOD, ("h:X", "x" * 17_000)], "limited to 16KB"),
        ([*GOOD, ("recipient-variables", "{")], "not valid JSON"),
        ([*GOOD, ("recipient-variables", "[]")], "not a dictionary"),
    ],
)
def test_it_refuses_the_whole_batch_as_mailgun_does(
    provider: FakeProvider, fields: list[tuple[str, str]], says: str
) -> None:
    response = post(provider, fields)
    assert response.status_code == 400
    assert says in response.json()["message"]
    assert provider.accepted() == []


def test_it_checks_the_key_and_the_form(provider: FakeProvider) -> None:
    assert post(provider, GOOD, auth=("api", "wrong")).status_code == 401
    assert post(provider, GOOD, headers={"Content-Type": "text/plain"}).status_code == 415
    assert post(provider, GOOD, headers={"Content-Type": "multipart/form-data; boundary=other"}).status_code == 400


def test_faults_come_by_number_by_person_in_turn_or_always(provider: FakeProvider) -> None:
    provider.fault_on(2, answer(500))
    provider.fault_next(too_many("1"))
    assert [post(provider, GOOD).status_code for _ in range(3)] == [429, 500, 200]
    provider.fault_for("c@x.example", answer(400))
    assert post(provider, GOOD).status_code == 400
    provider.fault_always(answer(503))
    assert post(provider, GOOD).status_code == 503
    provider.fault_always(None)
    assert [entry.fault for entry in provider.ledger] == ["answer", "answer", "", "answer", "answer"]
    assert len(provider.accepted()) == 1


def test_its_ledger_counts_what_was_taken_although_the_answer_was_lost(provider: FakeProvider) -> None:
    provider.fault_next(Fault("reset_after_accepting"), Fault("reset_before_reading"))
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            post(provider, GOOD)
    assert [entry.accepted for entry in provider.ledger] == [True, False]


def test_it_runs_as_a_program_that_other_processes_can_script_and_read() -> None:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "tests.support.fake_provider", "--port", "0"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        endpoint = parse_qs(urlsplit(url).query)["endpoint"][0]
        with requests.Session() as session:
            session.trust_env = False
            session.post(f"{endpoint}/_faults", json=[{"kind": "answer", "status": 500, "request": 1}], timeout=5)
            adapter = make_adapter(url)
            first, second = (adapter.deliver(make_call(make_recipient(1), key=f"b{n}")) for n in (1, 2))
            ledger = session.get(f"{endpoint}/_ledger", timeout=5).json()
            mails = session.get(f"{endpoint}/_mailbox/{quote('person1@example.com')}", timeout=5).json()
            missing = session.get(f"{endpoint}/elsewhere", timeout=5).status_code
        adapter.close()
        program.terminate()
    assert (first.verdict, second.verdict) == ("uncertain", "accepted")
    assert [row["accepted"] for row in ledger] == [False, True]
    assert [mail["subject"] for mail in mails] == ["Good news for Reader"]
    assert missing == 404


def test_a_stopped_provider_refuses_and_restarts_at_the_same_address(provider: FakeProvider) -> None:
    assert post(provider, GOOD).status_code == 200
    provider.stop_listening()
    with pytest.raises(requests.ConnectionError):
        post(provider, GOOD)
    provider.start_listening()
    assert post(provider, GOOD).status_code == 200
    assert len(provider.accepted()) == 2


def test_without_bodies_the_ledger_still_knows_the_recipients() -> None:
    slim = FakeProvider(keep_mails=False).start()
    try:
        batch = make_call(make_recipient(1), make_recipient(2), key="batch-7")
        for scheme in ("mailgun", "resend"):
            make_adapter(slim.url_of(scheme)).deliver(batch)
        make_adapter(slim.url_of("resend")).deliver(batch)
        mails = slim.mailbox("person2@example.com")
    finally:
        slim.stop()
    assert [(mail.html, mail.variables["delivery"], mail.variables["batch"]) for mail in mails] == [
        ("", "2", "batch-7")
    ] * 2
    assert [entry.accepted for entry in slim.ledger] == [True, True, False]
