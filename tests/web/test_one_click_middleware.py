"""The one-click middleware answers valid POSTs exactly as Django's page would, and passes on all others."""

import io
from collections.abc import Iterator
from itertools import product
from typing import Any

import psycopg
import pytest
from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db import IntegrityError, OperationalError, close_old_connections, connection
from django.utils import timezone

from subscribers.audience.eligibility import eligible
from subscribers.models import ConsentEvent, MailingList, Subscriber
from subscribers.web.one_click_middleware import OneClickMiddleware
from tests.support.people import make_list, make_member, path_to

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("U3")]


class Web:
    """The two applications, called as a web server calls them; `reached` counts what went on to Django."""

    def __init__(self) -> None:
        self.django = get_wsgi_application()
        self.reached = 0
        self.first = OneClickMiddleware(self._count)

    def _count(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.reached += 1
        return self.django(environ, start_response)

    def call(self, application: Any, path: str, **more: str) -> tuple[str, dict[str, str], bytes]:
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(b"List-Unsubscribe=One-Click"),
            "wsgi.errors": io.StringIO(),
            "CONTENT_LENGTH": "26",
            **more,
        }
        said: list[Any] = []
        body = b"".join(application(environ, lambda status, headers: said.append((status, headers))))
        ((status, headers),) = said
        assert len({name for name, _ in headers}) == len(headers)
        return status, dict(headers), body


@pytest.fixture
def web() -> Iterator[Web]:
    """Django would close the connection that holds the test's own transaction; its test client prevents it like this."""
    request_started.disconnect(close_old_connections)
    yield Web()
    request_started.connect(close_old_connections)


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly")


@pytest.fixture
def ada(weekly: MailingList) -> Subscriber:
    return make_member(weekly, language="")


@pytest.mark.parametrize(
    ("scheme", "language", "public"), list(product(["http", "https"], ["", "es", "ar;q=0.8, en"], [True, False]))
)
@pytest.mark.requirement("U1")
def test_it_says_what_djangos_page_says_header_by_header(
    web: Web, settings: Any, scheme: str, language: str, public: bool
) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    weekly = make_list(name="Weekly", public=public)
    ada = make_member(weekly)
    asked = {"HTTP_ACCEPT_LANGUAGE": language, "wsgi.url_scheme": scheme}
    link = path_to(ada, weekly)
    ours = web.call(web.first, link, **asked)
    assert not eligible(mailing_list=weekly, now=timezone.now()).exists()
    assert ours == web.call(get_wsgi_application(), link, **asked)
    assert web.reached == 0
    assert ours[0] == "200 OK"
    assert len(ours[2]) < 2_000
    assert ConsentEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "method"),
    [("{link}", "GET"), ("{link}", "HEAD"), ("{link}/all", "POST"), ("{link}?lang=es", "POST"), ("/u/no", "POST")],
)
@pytest.mark.requirement("U2")
def test_any_other_request_reaches_django(
    web: Web, weekly: MailingList, ada: Subscriber, path: str, method: str
) -> None:
    web.call(web.first, path.format(link=path_to(ada, weekly)), REQUEST_METHOD=method)
    assert web.reached == 1


@pytest.mark.requirement("U4")
def test_a_link_that_is_not_ours_gets_djangos_404(web: Web, weekly: MailingList, ada: Subscriber) -> None:
    link = path_to(ada, weekly)
    status, _, _ = web.call(web.first, link[:-1] + ("A" if link[-1] != "A" else "B"))
    assert status == "404 Not Found"
    assert eligible(mailing_list=weekly, now=timezone.now()).exists()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("language", ["", "es"])
@pytest.mark.requirement("U7")
def test_without_a_database_the_answer_is_503_after_one_try(
    web: Web, settings: Any, weekly: MailingList, ada: Subscriber, scheme: str, language: str
) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    asked = {"HTTP_ACCEPT_LANGUAGE": language, "wsgi.url_scheme": scheme}
    link = path_to(ada, weekly)
    web.call(web.first, link + "x", **asked)
    web.reached, tries = 0, []

    def refuse(*asked: Any) -> None:
        tries.append(asked)
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(refuse):
        ours = web.call(web.first, link, **asked)
        assert (len(tries), web.reached) == (1, 0)
        assert ours == web.call(get_wsgi_application(), link, **asked)
    assert (ours[0], ours[1]["Retry-After"]) == ("503 Service Unavailable", "120")
    assert eligible(mailing_list=weekly, now=timezone.now()).exists()
    assert web.call(web.first, link)[0] == "200 OK"


def deadlock() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = psycopg.errors.DeadlockDetected("deadlock detected")
    return error


@pytest.mark.parametrize("fault", [IntegrityError("the person was merged meanwhile"), deadlock()])
@pytest.mark.requirement("U4")
def test_django_retries_errors_other_than_a_missing_database(
    web: Web, weekly: MailingList, ada: Subscriber, fault: Exception
) -> None:
    left = iter([fault])

    def refuse_once(execute: Any, *given: Any) -> Any:
        for error in left:
            raise error
        return execute(*given)

    with connection.execute_wrapper(refuse_once):
        status, _, _ = web.call(web.first, path_to(ada, weekly), HTTP_ACCEPT_LANGUAGE="en")
    assert (status, web.reached) == ("200 OK", 1)
    assert not eligible(mailing_list=weekly, now=timezone.now()).exists()
