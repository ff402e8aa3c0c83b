"""`newsletter serve` runs pages, schedule and worker together, with either engine."""

import socket
import urllib.request

from tests.support.crash_template import PEOPLE
from tests.support.processes import wait_until


def test_serve_sends_what_is_due_shows_its_pages_and_stops(install):
    here = install("approved")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serving = here.start("serve", "--port", str(port), "--lanes", "4")
    here.wait_until_done(seconds=90)
    here.check_invariants(people=PEOPLE)
    assert here.send_state() == "submitted"
    assert set(here.count_newsletters().values()) == {1}
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=20) as page:
        assert page.status == 200
    assert serving.terminate() == 0, serving.said()
    wait_until(lambda: not serving.running, what="the end of the server")
