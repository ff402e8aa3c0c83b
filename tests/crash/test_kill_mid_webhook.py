"""A committed report takes effect once, whichever process dies while handling it."""

import http.client
import socket
import threading
from datetime import UTC, datetime

import pytest

from newsletter.feedback.endpoint import webhook_secret
from tests.support.crash_template import PEOPLE
from tests.support.ports import free_port
from tests.support.processes import Installation, wait_for_start, wait_until
from tests.support.provider_webhooks import mailgun_event, sign_mailgun

pytestmark = [pytest.mark.requirement("W5")]


@pytest.mark.requirement("F1")
def test_a_process_killed_with_a_report_loses_none_and_counts_none_twice(install):
    here = install()
    first = Server(here, stall="webhook_stored")
    here.wait_until_done()
    [one, two] = here.query(
        "SELECT d.id, b.key, d.subscriber_id FROM newsletter_delivery d"
        " JOIN newsletter_batch b ON b.id = d.batch_id ORDER BY d.id LIMIT 2"
    )
    asking = threading.Thread(target=first.report, args=(one,))
    asking.start()
    here.wait_for_stall()
    first.kill()
    asking.join(20)
    assert first.answers == [None], "the provider was told that we have it by a process that was killed before"
    assert here.query(STORED) == [(1,)]

    second = Server(here, stall="applying")
    here.wait_for_stall()
    second.kill()
    assert here.query(f"{STORED} WHERE result = ''") == [(1,)]
    assert here.query("SELECT COUNT(*) FROM subscribers_suppression") == [(0,)]

    third = Server(here)
    third.report(one)
    third.report(two)
    assert third.answers == [200, 200]
    wait_until(lambda: here.query(f"{STORED} WHERE result = 'applied'") == [(2,)], what="both reports applied")
    assert here.query("SELECT COUNT(*), COUNT(DISTINCT address_hash) FROM subscribers_suppression") == [(2, 2)]
    kinds = "SELECT COUNT(*) FROM subscribers_consentevent WHERE kind = 'suppressed'"
    assert here.query(kinds) == [(2,)]
    left = "SELECT COUNT(*) FROM subscribers_subscription WHERE ended_at IS NOT NULL AND subscriber_id IN (?, ?)"
    assert here.query(left, one[2], two[2]) == [(2,)]
    here.check_invariants(people=PEOPLE)
    assert third.process.terminate() == 0


STORED = "SELECT COUNT(*) FROM newsletter_providerevent"


class Server:
    """`newsletter serve`, and a provider that reports complaints to it. ``answers`` has None where none came."""

    def __init__(self, here: Installation, *, stall: str = "") -> None:
        self.port = free_port()
        self.answers: list[int | None] = []
        self.process = here.start("serve", "--port", str(self.port), "--concurrency", "2", stall=stall)
        self.kill = self.process.kill
        wait_for_start(self.process, self._listens, what="the web server")

    def report(self, delivery: tuple[int, str, int]) -> None:
        number, key, _ = delivery
        now = datetime.now(UTC)
        event = mailgun_event("complained", address="", delivery=number, batch=key, at=now, id=f"m-{number}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(
                "POST",
                f"/hooks/mailgun/{webhook_secret('mailgun')}",
                sign_mailgun(event, now=now, token=f"token-{number}-{now.timestamp()}"),
                {"Content-Type": "application/json"},
            )
            self.answers.append(connection.getresponse().status)
        except (OSError, http.client.HTTPException):
            self.answers.append(None)
        finally:
            connection.close()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
