"""Items of an RSS feed."""

from tests.support.web_site import Site

ITEM = """<item><title>{title}</title><link>{url}/{slug}</link><guid>{slug}</guid><pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate>
<category>Courts</category><description>{text}</description>{extra}</item>"""


def make_feed_item(site: Site, slug: str, title: str, *, text: str = "What happened.", extra: str = "") -> str:
    return ITEM.format(url=site.url, slug=slug, title=title, text=text, extra=extra)
