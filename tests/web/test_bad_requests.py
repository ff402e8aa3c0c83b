"""Bad input to public pages, the API and webhooks never causes a server error."""

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from newsletter.api_keys import make_key
from newsletter.models import Publication
from subscribers.links.signed_links import Purpose
from tests.support.fixtures import add_subscribers, make_event, make_issue, make_story
from tests.support.people import make_list, make_member, path_to
from tests.support.routes import list_routes

pytestmark = pytest.mark.django_db
PUBLIC = (
    "/news/",
    "/r/",
    "/view/",
    "/proof/",
    "/calendar/",
    "/m/",
    "/hooks/",
    "/inbound/",
    "/u/",
    "/p/",
    "/c/",
    "/my-",
    "/join/",
    "/erase-me/",
    "/new-address/",
    "/this-address/",
    "/look.css",
    "/accounts/",
    "/api/",
    "/admin/login/",
    "/nothing",
)
ODD_VALUES = ("%C3%A9", "a%00b", "%FF")
ODD_QUERIES = {
    "half an escape": "lang=%E&page=%",
    "bytes that are no UTF-8": "lang=%FF&page=%FE&next=%FF",
    "NUL": "lang=%00&page=%00&next=%00&%00=1",
    "a page that is none": "page=-1&p=9999999999999999999999&most=abc",
    "a word for a number": "page=two&p=two&most=two&publication=%22",
    "2,000 fields": "&".join(f"a{number}=1" for number in range(12_000)),
}
ODD_HEADERS = {
    "cookies": {"cookie": 'a=b; =; ;;; sessionid="\xff\x00"; csrftoken=\xe9; x=' + "a" * 3_000},
    "a language": {"accept-language": "xx-\xff;q=abc,,,;q=,*;q=-1," + "a-" * 500},
    "a language with NUL": {"accept-language": "en\x00,es;q=1.5"},
    "a host": {"host": "exa mple\xff"},
    "a forwarded address": {"x-forwarded-for": "a,b,,\xff,999.1.1.1"},
    "a date": {"if-modified-since": "Thu, 99 Foo 99999 99:99:99 GMT", "if-none-match": '"\xff'},
    "an origin": {"origin": "null\xff://[", "referer": "http://[::1"},
    "an authorization": {"authorization": "Bearer \xff\x00"},
    "a basic authorization": {"authorization": "Basic !!!"},
    "a method override": {"x-http-method-override": "\xff", "range": "bytes=9-1"},
}
MULTIPART = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n'
SURROGATES = b'{"email": "\\ud83d", "list": "\\udc00", "reason": "\\ud800"}'
NULS = b'{"email": "a\\u0000@example.org", "list": "\\u0000", "people": [{"email": "\\u0000"}]}'
ODD_BODIES = {
    "a boundary that is none": ("multipart/form-data", b"a"),
    "an empty boundary": ("multipart/form-data; boundary=", b"a"),
    "a boundary with odd signs": ("multipart/form-data; boundary=\xff\x00", b"a"),
    "a part without an end": (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\nada'),
    "a part without a name": (MULTIPART, b"--b\r\nContent-Disposition: form-data\r\n\r\nada\r\n--b--\r\n"),
    "a part with broken base64": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="email"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n--b--\r\n',
    ),
    "a part of odd names": (
        MULTIPART,
        b"--b\r\nContent-Disposition: form-data; name*=utf-16''%ff%fe; filename*=x'y'%00\r\n\r\nada\r\n--b--\r\n",
    ),
    "a charset that is none": (f"{MULTIPART}; charset=no-such", PART),
    "a charset that is no text": (f"{MULTIPART}; charset=rot13", PART),
    "a form in hex": ("application/x-www-form-urlencoded; charset=hex", b"email=ada"),
    "a form in UTF-16": ("application/x-www-form-urlencoded; charset=utf-16", "email=ada".encode("utf-16")),
    "a form with NUL": (
        "application/x-www-form-urlencoded",
        b"email=%00&lists=%00&code=%00&login=%00&password=%00&town=%00",
    ),
    "a form of broken bytes": ("application/x-www-form-urlencoded", b"email=%FF%FE&\xff=%&login=%E&password=%ED%A0%BD"),
    "too many fields": ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(12_000))),
    "too many files": (
        MULTIPART,
        b"".join(b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n' for _ in range(300))
        + b"--b--\r\n",
    ),
    "JSON that ends early": ("application/json", b'{"email": '),
    "JSON of another shape": ("application/json", b"[1, 2"),
    "JSON with half a surrogate pair": ("application/json", SURROGATES),
    "JSON with NUL": ("application/json", NULS),
    "JSON with huge numbers": ("application/json", b'{"email": 1e999, "people": -1' + b"0" * 5_000 + b"}"),
    "JSON that is deep": ("application/json", b"[" * 20_000),
    "bytes": ("application/octet-stream", bytes(range(256))),
    "no type": ("", b"a=b"),
    "a type that is none": ("\xff/;;;=", b"a=b"),
}


@pytest.fixture
def usual_routes(publication: Publication) -> list[str]:
    """Return every path outside the desk: with unknown and existing values in its variable parts."""
    make_story("The clinic opens its doors")
    make_event("An evening of letters")
    add_subscribers(publication, 2)
    make_issue(publication)
    weekly = make_list("odd")
    person = make_member(weekly, "odd@example.org")
    known = {path_to(person, weekly, purpose) for purpose in Purpose}
    known |= {"/join/odd", "/hooks/postmark/x", "/hooks/ses/x", f"/news/{publication.slug}/"}
    return choose_public({*list_routes(get_resolver()), *known})


@pytest.fixture
def public_routes(usual_routes: list[str]) -> list[str]:
    """Return these paths, and the same with odd values in their variable parts."""
    odd = {route for fill in ODD_VALUES for route in list_routes(get_resolver(), fill=fill)}
    return choose_public({*usual_routes, *odd, "/hooks/mailgun/é", "/nothing/%FF"})


def choose_public(routes: set[str]) -> list[str]:
    return sorted(route for route in routes if route.startswith(PUBLIC))


def test_odd_values_in_a_path_cause_no_server_error(public_routes: list[str]) -> None:
    """The tests below ask for usual paths: an odd path does not reach more of the program by an odd query or header."""
    wrong = find_server_errors(public_routes)
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("odd", ODD_QUERIES)
def test_odd_queries_cause_no_server_error(usual_routes: list[str], odd: str) -> None:
    wrong = find_server_errors(usual_routes, query=ODD_QUERIES[odd])
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("odd", ODD_HEADERS)
def test_odd_headers_cause_no_server_error(usual_routes: list[str], odd: str) -> None:
    wrong = find_server_errors(usual_routes, headers=ODD_HEADERS[odd])
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.long
@pytest.mark.parametrize("odd", ODD_BODIES)
def test_odd_bodies_cause_no_server_error(public_routes: list[str], odd: str) -> None:
    kind, body = ODD_BODIES[odd]
    key = make_key(name="odd", scope="people read", by="root", now=timezone.now())[1]
    wrong = find_server_errors(
        public_routes, method="POST", body=body, kind=kind, headers={"authorization": f"Bearer {key}"}
    )
    assert not wrong, "\n".join(map(str, wrong))


def find_server_errors(
    routes: list[str],
    *,
    method: str = "GET",
    query: str = "",
    body: bytes = b"",
    kind: str = "",
    headers: dict[str, str] | None = None,
) -> list[object]:
    client = Client(raise_request_exception=False)
    wrong: list[object] = []
    for route in routes:
        answer = client.generic(method, route, body, content_type=kind, headers=headers or {}, QUERY_STRING=query)
        if answer.status_code >= 500 and answer.status_code != 503:
            wrong.append((route, answer.status_code, getattr(answer, "exc_info", None)))
    return wrong
