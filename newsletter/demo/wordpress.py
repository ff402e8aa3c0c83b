"""The sample field offices' WordPress REST answers: posts with their picture, terms and author embedded, in pages.

Only ``/wp-json/wp/v2/posts`` exists, with ``page``, ``per_page``, ``after`` and ``_embed``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from newsletter.demo.stories import DemoStory

DEFAULT_PER_PAGE = 10


@dataclass(frozen=True)
class PostsAnswer:
    """What the REST route answers: HTTP status, JSON bytes and the two paging headers."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def answer_posts(stories: Sequence[DemoStory], *, site: str, query: Mapping[str, str]) -> PostsAnswer:
    """One page of posts; status 400 with WordPress's own error shape for a bad or too high page number."""
    chosen = list(stories)
    try:
        page, per_page = int(query.get("page", "1")), int(query.get("per_page", str(DEFAULT_PER_PAGE)))
        if query.get("after"):
            after = datetime.fromisoformat(query["after"])
            after = after if after.tzinfo else after.replace(tzinfo=UTC)
            chosen = [story for story in chosen if story.published_at > after]
    except ValueError:
        return _refuse("rest_invalid_param", "Invalid parameter(s): page, per_page or after.")
    if page < 1 or not 1 <= per_page <= 100:
        return _refuse("rest_invalid_param", "Invalid parameter(s): page or per_page.")
    pages = -(-len(chosen) // per_page)
    if page > max(pages, 1):
        return _refuse(
            "rest_post_invalid_page_number",
            "The page number requested is larger than the number of pages available.",
        )
    shown = chosen[(page - 1) * per_page : page * per_page]
    numbers = {story.slug: 100 + index for index, story in enumerate(reversed(stories))}
    posts = [_post(story, number=numbers[story.slug], site=site, embed="_embed" in query) for story in shown]
    headers = {"X-WP-Total": str(len(chosen)), "X-WP-TotalPages": str(pages)}
    return PostsAnswer(status=200, body=_to_json(posts), headers=headers)


def _post(story: DemoStory, *, number: int, site: str, embed: bool) -> dict[str, object]:
    written = story.published_at.strftime("%Y-%m-%dT%H:%M:%S")
    post: dict[str, object] = {
        "id": number,
        "date": written,
        "date_gmt": written,
        "modified": written,
        "modified_gmt": written,
        "guid": {"rendered": f"{site}/?p={number}"},
        "slug": story.slug,
        "status": "publish",
        "type": "post",
        "link": f"{site}{story.path}",
        "title": {"rendered": _texturize(story.title)},
        "content": {"rendered": story.body_html, "protected": False},
        "excerpt": {"rendered": f"<p>{_texturize(story.teaser)}</p>\n", "protected": False},
        "author": 1,
        "featured_media": number + 1000,
        "categories": [_term_number(topic) for topic in story.topics],
        "tags": [],
    }
    if embed:
        post["_embedded"] = {
            "author": [{"id": 1, "name": story.author}],
            "wp:featuredmedia": [_media(story, number=number + 1000, site=site)],
            "wp:term": [[_term(topic) for topic in story.topics], []],
        }
    return post


def _media(story: DemoStory, *, number: int, site: str) -> dict[str, object]:
    url = f"{site}{story.picture_path}"
    return {
        "id": number,
        "media_type": "image",
        "mime_type": "image/jpeg",
        "alt_text": story.alt,
        "source_url": url,
        "media_details": {
            "width": 1200,
            "height": 675,
            "sizes": {"full": {"width": 1200, "height": 675, "mime_type": "image/jpeg", "source_url": url}},
        },
    }


def _term(topic: str) -> dict[str, object]:
    slug = topic.lower().replace(" ", "-")
    return {"id": _term_number(topic), "name": topic, "slug": slug, "taxonomy": "category"}


def _term_number(topic: str) -> int:
    return 10 + sum(topic.encode()) % 900


def _texturize(text: str) -> str:
    """WordPress writes quotation marks, apostrophes and ampersands as numeric entities."""
    for plain, entity in (("&", "&#038;"), ("’", "&#8217;"), ("“", "&#8220;"), ("”", "&#8221;")):
        text = text.replace(plain, entity)
    return text


def _refuse(code: str, message: str) -> PostsAnswer:
    return PostsAnswer(
        status=400, body=_to_json({"code": code, "message": message, "data": {"status": 400}}), headers={}
    )


def _to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
