"""The sample site answers as a real one does, with ETags, 304, 404 and HEAD."""

import re
import socket
import struct
import threading
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from newsletter.demo.site_server import DemoSite, DemoSiteError
from tests.support.demo_site import NOW, ask

CONDITIONAL = ["/stories/feed.xml", "/atom.xml", "/feed.json", "/events.ics", "/wp-json/wp/v2/posts?_embed=1", "/"]


@pytest.mark.parametrize("path", CONDITIONAL)
def test_an_unchanged_page_is_answered_with_304_and_no_body(site, path):
    first = ask(site, path)
    assert first.status == 200
    again = ask(site, path, If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_an_etag_outweighs_a_date(site):
    first = ask(site, "/stories/feed.xml")
    again = ask(site, "/stories/feed.xml", If_None_Match='"other"', If_Modified_Since=first.headers["Last-Modified"])
    assert (again.status, again.body) == (200, first.body)


def test_a_readable_date_is_enough_for_304(site):
    first = ask(site, "/events.ics")
    assert ask(site, "/events.ics", If_Modified_Since=first.headers["Last-Modified"]).status == 304
    assert ask(site, "/events.ics", If_Modified_Since="Sat, 01 Jan 2000 00:00:00 GMT").status == 200
    assert ask(site, "/events.ics", If_Modified_Since="yesterday").status == 200


def test_every_page_answers_and_every_link_leads_to_one(site):
    for path in site.pages.paths():
        answer = ask(site, path)
        assert answer.status == 200, path
        if not answer.headers["Content-Type"].startswith("text/html"):
            continue
        for link in re.findall(r'(?:href|src)="(/[^"#]*)', answer.body.decode()):
            assert site.pages.find_page(link), f"{path} points to {link}, which is not there"


def test_an_unknown_path_is_a_404(site):
    answer = ask(site, "/nothing/here")
    assert answer.status == 404
    assert b"There is no page at this address." in answer.body
    assert "ETag" not in answer.headers


def test_head_gives_the_headers_of_get_without_the_body(site):
    full, head = ask(site, "/feed.json"), ask(site, "/feed.json", method="HEAD")
    assert head.body == b""
    assert head.headers["Content-Length"] == full.headers["Content-Length"]


def test_requests_are_counted_by_path_and_status():
    with DemoSite(now=NOW) as own:
        etag = ask(own, "/atom.xml").headers["ETag"]
        ask(own, "/atom.xml", If_None_Match=etag)
        assert own.requests == {("/atom.xml", 200): 1, ("/atom.xml", 304): 1}


def test_closing_frees_the_port_of_loopback():
    with DemoSite(now=NOW) as own:
        host, port = urlsplit(own.url).hostname, urlsplit(own.url).port
        assert host == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), timeout=1)
    DemoSite(now=NOW, port=port).close()


def test_a_port_in_use_is_refused_with_advice(site):
    port = urlsplit(site.url).port
    with pytest.raises(DemoSiteError, match=f"cannot use port {port} .* Choose another port"):
        DemoSite(now=NOW, port=port)


def test_a_client_that_hangs_up_causes_no_error_output(site, capfd):
    with socket.create_connection(("127.0.0.1", urlsplit(site.url).port), timeout=5) as impatient:
        impatient.sendall(b"GET /pictures/harbour.jpg HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        impatient.recv(1000)
        impatient.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(timeout=5)
    assert ask(site, "/").status == 200
    assert capfd.readouterr().err == ""


def test_the_same_day_gives_the_same_bytes_and_another_day_others(site):
    port = urlsplit(site.url).port

    def read(now):
        other = DemoSite(now=now)
        other.close()
        return {
            path: other.pages.find_page(path).body.replace(other.url.encode(), site.url.encode())
            for path in CONDITIONAL
        }

    same = read(NOW)
    assert same == {path: ask(site, path).body for path in CONDITIONAL}, port
    assert all(same[path] != body for path, body in read(NOW + timedelta(days=1)).items())
