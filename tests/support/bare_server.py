"""Our web server with one page instead of the product's, and something that goes wrong.

As a program: `python -m tests.support.bare_server PORT FAULT...`. It prints "started" once it serves.
"""

import errno
import os
import signal
import sys
import time
from math import inf
from unittest.mock import patch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")

import django
import gunicorn.sock

django.setup()

from newsletter.management import hang_watch, server, web_worker  # noqa: E402  needs the settings

FAULTS = set(sys.argv[2:])
FAILURE_SECONDS = 1.5
if "under-nohup" not in FAULTS:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def answer(environ, start_response):
    body = environ["PATH_INFO"].encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def load(self):
    say("loading")
    if "slow-load" in FAULTS:
        time.sleep(3)
    return answer


def start():
    say("started")
    if "broken" in FAULTS:
        raise RuntimeError("The disk is gone.")


def stop():
    say("stopping")
    if "stop-hangs" in FAULTS:
        time.sleep(60)
    return "call-goes-on" not in FAULTS


def hang_if_asked(first_line):
    """Runs in the event loop."""
    if b"/hang" in first_line:
        time.sleep(60)
    return False


def create_sockets(cfg, log):
    """Listen on sockets that at first, or always, have no memory for a client."""
    listeners = gunicorn.sock.create_sockets(cfg, log)
    began = []
    accept = listeners[0].sock.accept

    def fail():
        began.append(time.monotonic())
        if "accept-fails-once" in FAULTS and len(began) == 1:
            accept()[0].close()
            raise OSError(errno.ENOBUFS, "No buffer space available")
        seconds = inf if "accept-fails-for-ever" in FAULTS else FAILURE_SECONDS if "accept-fails" in FAULTS else 0.0
        if began[-1] < began[0] + seconds:
            say("accept fails")
            raise OSError(errno.ENOBUFS, "No buffer space available")
        return accept()

    listeners[0].accept = fail
    return listeners


def main():
    with (
        patch.object(server.Server, "load", load),
        patch.object(server, "is_api_read", hang_if_asked),
        patch.object(server, "create_sockets", create_sockets),
        patch.multiple(hang_watch, SECONDS_BETWEEN=0.5, LOOKS_BEFORE_END=12, GRACE_SECONDS=1.0),
        patch.object(web_worker, "ACCEPT_FAILING_SECONDS", 2.0),
    ):
        server.Server(host="127.0.0.1", port=int(sys.argv[1]), started=start, stopping=stop).run()


if __name__ == "__main__":
    main()
