"""The WSGI application, for your own web server."""

import atexit
import os
import threading
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from newsletter.project.process_setup import prepare_process, restrict_data_folder

prepare_process()

import django  # noqa: E402  nothing may read a setting before

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
django.setup()
restrict_data_folder()

from newsletter.management.wsgi_pages import load_pages  # noqa: E402  needs the settings
from newsletter.monitoring.process_heartbeat import ProcessHeartbeat  # noqa: E402

_pages = load_pages()
_first_request = threading.Lock()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request. The first one starts the heartbeat, because a server may fork after it has loaded this."""
    if _first_request.acquire(blocking=False):
        heartbeat = ProcessHeartbeat(("web",), intervals={})
        atexit.register(heartbeat.stop)
        heartbeat.start()
    return _pages(environ, start_response)
