"""The organisation's own web site on loopback, from which a set-up takes the look and the stories."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image

from tests.support.web_site import Site, serve_site


@contextmanager
def serve_own_site() -> Iterator[Site]:
    """Yield the organisation's own web site, with a logo, a style sheet and a feed."""
    with serve_site() as site:
        day = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(time.time() - 86_400))
        items = "".join(
            f"<item><title>Story {n} of the clinic</title><link>{site.url}/s/{n}/</link><guid>s{n}</guid>"
            f"<pubDate>{day}</pubDate><description>What happened on day {n}, in one sentence.</description></item>"
            for n in range(7)
        )
        feed = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
        site.put("/feed.xml", feed, Content_Type="application/rss+xml")
        for n in range(7):
            site.put(f"/s/{n}/", f"<title>Story {n} of the clinic</title>", Content_Type="text/html")
        head = (
            '<link rel="stylesheet" href="/look.css"><link rel="alternate" type="application/rss+xml" href="/feed.xml">'
        )
        page = f'<title>Open Door</title>{head}<img class="logo" src="/logo.png" alt="Open Door">'
        site.put("/", page, Content_Type="text/html")
        site.put("/look.css", ":root{--brand:#ffe97a} body{font-family:Verdana}", Content_Type="text/css")
        picture = BytesIO()
        Image.new("RGB", (400, 120), "#224466").save(picture, "PNG")
        site.put("/logo.png", picture.getvalue(), Content_Type="image/png")
        yield site
