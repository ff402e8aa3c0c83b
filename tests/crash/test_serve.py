"""`newsletter serve` runs pages, schedule and worker together, with either engine."""

import os
import signal
import socket
import time
import urllib.request

from tests.support.crash_template import PEOPLE
from tests.support.ports import free_port
from tests.support.processes import wait_for_start, wait_until
from tests.support.provider_faults import Fault


def test_serve_sends_what_is_due_shows_its_pages_and_stops(install):
    here = install("approved")
    port = free_port()
    serving = here.start("serve", "--port", str(port), "--concurrency", "4")
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    assert here.send_state() == "submitted"
    assert set(here.count_newsletters().values()) == {1}
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=20) as page:
        assert page.status == 200
    assert serving.terminate() == 0, serving.said()
    wait_until(lambda: not serving.running, what="the end of the server")


def test_a_server_whose_terminal_closes_ends_as_if_told_to_stop(install):
    here = install("approved")
    port = free_port()
    web = here.start("web", "--port", str(port))
    wait_for_start(web, lambda: answers(port), what="the server")
    assert list_process_group(web.popen.pid) == [web.popen.pid], "the pages are served by the process that was started"
    os.kill(web.popen.pid, signal.SIGHUP)
    assert web.popen.wait(32) == 0, web.said()


def test_a_stop_with_open_requests_begins_no_call_and_keeps_the_limit(install):
    """The limit is that of a worker: systemd kills what has not ended after 40 seconds."""
    here = install()
    here.provider.fault_always(Fault("slow", seconds=0.5))
    port = free_port()
    serving = here.start("serve", "--port", str(port), "--concurrency", "1")
    wait_for_start(serving, lambda: here.provider.ledger and answers(port), what="a call under way")
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /my-mail HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nbegun")
        time.sleep(0.5)
        os.kill(serving.popen.pid, signal.SIGTERM)
        time.sleep(2)
        calls = len(here.provider.ledger)
        assert serving.popen.wait(30) == 0, serving.said()
    assert len(here.provider.ledger) == calls
    assert here.batches()["submitting"] == 0
    assert here.batches()["pending"] > 0


def test_a_server_that_stops_during_a_long_call_says_so_in_time(install):
    here = install()
    here.provider.fault_always(Fault("slow", seconds=60))
    port = free_port()
    serving = here.start("serve", "--port", str(port), "--concurrency", "1")
    wait_for_start(serving, lambda: here.provider.ledger and answers(port), what="a call under way")
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /my-mail HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nbegun")
        time.sleep(0.5)
        assert serving.terminate(within=32) == 0, serving.said()
    assert "A call did not end in time" in serving.said()


def answers(port):
    """Return True once a page is served. The port is open before the server handles signals."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=20) as page:
            return page.status == 200
    except OSError:
        return False


def list_process_group(number):
    """The processes of this group."""
    processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [process for process in processes if find_group(process) == number]


def find_group(process):
    try:
        return os.getpgid(process)
    except ProcessLookupError:
        return None
