"""Parse posts of the Ghost Content API (docs.ghost.org/content-api/posts and /pagination)."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from newsletter.common.iso_time import parse_iso_time
from newsletter.content.fetching.credentials import replace_parameters
from newsletter.content.parsing.apis.answers import (
    Node,
    NodeReader,
    changed_shape,
    read_answer,
    read_nodes,
    read_page,
)
from newsletter.content.parsing.entries import Parsed, StoryEntry
from newsletter.content.parsing.entry_rules import normalise_date, require_link, require_title
from newsletter.content.parsing.json_text import as_mapping, read_text
from newsletter.content.parsing.markup import clean_html, plain_text, title_text
from newsletter.content.parsing.pictures import find_picture_in_html, is_story_image, tidy_alt
from newsletter.content.parsing.pseudonyms import find_pseudonyms
from newsletter.content.parsing.shortcodes import remove_shortcodes
from newsletter.content.parsing.teasers import teaser_from_html, teaser_from_text
from newsletter.content.parsing.text import cut_at_word
from newsletter.content.parsing.urls import safe_link

PERIOD = timedelta(days=90)
_PER_PAGE = 50
_API = "ghost/api/content"
_BODY_CHARS = 200_000
_MAX_CATEGORIES = 20


def ghost_url(address: str, now: datetime) -> str:
    """Return the address of the newest posts. ``address`` is the site's, or any of its Content API.

    A filter in the address, such as ``filter=tag:news``, stays.
    """
    parts = urlsplit(address)
    home = parts.path.partition("/ghost")[0].rstrip("/")
    since = f"published_at:>'{(now - PERIOD).astimezone(UTC):%Y-%m-%d %H:%M:%S}'"
    url = urlunsplit((parts.scheme, parts.netloc, f"{home}/{_API}/posts/", parts.query, ""))
    staff_filter = dict(parse_qsl(parts.query)).get("filter", "")
    query = {
        "include": "tags,authors",
        "limit": str(_PER_PAGE),
        "order": "published_at desc",
        "filter": f"({staff_filter})+{since}" if staff_filter else since,
    }
    return replace_parameters(url, remove=[*query, "page"], add=query)


def parse_ghost_posts(body: bytes, *, url: str, now: datetime) -> Parsed:
    """Return the public posts of one page. Posts for members only are never used."""
    data = read_answer(body)
    posts = data.get("posts")
    if not isinstance(posts, list):
        return changed_shape("Ghost")
    pages = as_mapping(as_mapping(data.get("meta")).get("pagination"))
    following = pages.get("next")
    return read_page(
        posts,
        NodeReader(
            parse=lambda post: _read_post(post, url=url, now=now),
            identify=lambda post: read_text(post, "id"),
            title_of=lambda post: read_text(post, "title"),
            is_private=_is_private,
        ),
        now=now,
        url=url,
        next_url=replace_parameters(url, remove=["page"], add={"page": str(following)})
        if isinstance(following, int)
        else "",
        total=pages.get("total"),
    )


def _is_private(post: Node) -> bool:
    return post.get("visibility") not in (None, "public") or post.get("status") not in (None, "published")


def _read_post(post: Node, *, url: str, now: datetime) -> StoryEntry:
    title = require_title(read_text(post, "title"))
    link = require_link(read_text(post, "url"), base_url=url)
    html = read_text(post, "html")[:_BODY_CHARS]
    teaser = teaser_from_text(read_text(post, "custom_excerpt"), title=title) or teaser_from_html(html, title=title)
    teaser = teaser or teaser_from_text(read_text(post, "excerpt"), title=title)
    picture = safe_link(read_text(post, "feature_image"), base_url=link)
    alt = tidy_alt(read_text(post, "feature_image_alt"))
    if not picture or not is_story_image(picture):
        picture, alt = find_picture_in_html(html, base_url=link)
    canonical = safe_link(read_text(post, "canonical_url"), base_url=link)
    return StoryEntry(
        external_id=read_text(post, "id") or link[:500],
        url=link,
        title=title,
        teaser=teaser,
        body_html=clean_html(remove_shortcodes(html), base_url=link),
        picture_url=picture,
        picture_alt=alt,
        author=_authors(post),
        published_at=normalise_date(parse_iso_time(read_text(post, "published_at")), now=now),
        categories=_tags(post),
        pseudonyms=find_pseudonyms(title, teaser, f"{plain_text(html)}\n{read_text(post, 'custom_excerpt')}"),
        addresses=(canonical,) if canonical and canonical != link else (),
    )


def _authors(post: Node) -> str:
    names = [title_text(read_text(author, "name")) for author in read_nodes(post, "authors")]
    return cut_at_word(", ".join(name for name in names if name), 200)


def _tags(post: Node) -> tuple[str, ...]:
    """Return the names of public tags. Internal ones, such as “#series”, are for the site's own use."""
    names = [
        title_text(read_text(tag, "name"))
        for tag in read_nodes(post, "tags")
        if tag.get("visibility") in (None, "public") and not read_text(tag, "name").startswith("#")
    ]
    return tuple(dict.fromkeys(cut_at_word(name, 100) for name in names if name))[:_MAX_CATEGORIES]
