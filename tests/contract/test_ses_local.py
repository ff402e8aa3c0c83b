"""Amazon SES as others imitate it: the npm package aws-ses-v2-local takes our calls, where it is on the path."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator

import orjson
import pytest
import requests

from newsletter.models import Attempt
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import make_receipt
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.processes import wait_until
from tests.support.sends import Clock

PROGRAM = shutil.which("aws-ses-v2-local")
PEOPLE = 120

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(PROGRAM is None, reason="aws-ses-v2-local is not on the path: npm install -g aws-ses-v2-local"),
]


@pytest.fixture
def ses() -> Iterator[str]:
    """The URL of a server that keeps what it was sent."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(PROGRAM), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), seconds=30, what="the local SES")
        yield url
    finally:
        process.kill()
        process.wait(10)


def test_a_whole_issue_goes_through_somebody_elses_ses(ses: str, settings) -> None:
    settings.NEWSLETTER_PROVIDER_URL = f"ses://KEY:SECRET@eu-west-1?endpoint={ses}"
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, PEOPLE)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    clock = Clock()
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert make_receipt(send).deliveries["accepted"] == PEOPLE
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"accepted"}
    kept = orjson.loads(requests.get(f"{ses}/store", timeout=10).content)["emails"]
    assert {mail["destination"]["to"][0] for mail in kept} == {f"person{n}@example.com" for n in range(PEOPLE)}
    links = set()
    for mail in kept:
        headers = {header["name"]: header["value"] for header in mail["headers"]}
        links.add(headers["List-Unsubscribe"])
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert headers["List-Unsubscribe"].strip("<>") in mail["body"]["html"]
        assert not re.search(r"__pv_|\{\{", mail["body"]["html"] + mail["body"]["text"] + mail["subject"])
    assert len(links) == PEOPLE


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/store", timeout=1).ok
    except requests.RequestException:
        return False
