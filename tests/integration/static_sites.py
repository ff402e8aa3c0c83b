"""Real static site generators: each writes three posts and a feed into a folder that a small server serves."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.integration.tools import find_node_modules, find_tool

JEKYLL = """title: Justice in the field
url: {url}
plugins: [jekyll-feed]
permalink: /stories/:title/
"""
JEKYLL_PAGE = (
    "<!doctype html><html lang=en><title>{{ page.title }}</title>"
    "<article><h1>{{ page.title }}</h1>{{ content }}</article>"
)
HUGO = """baseURL = "{url}/"
title = "Justice in the field"
languageCode = "en"
[permalinks]
stories = "/stories/:slug/"
"""
HUGO_PAGE = (
    "<!doctype html><html lang=en><title>{{ .Title }}</title><article><h1>{{ .Title }}</h1>{{ .Content }}</article>"
)
PELICAN = """SITENAME = "Justice in the field"
SITEURL = FEED_DOMAIN = "{url}"
PATH = "content"
OUTPUT_PATH = "public"
TIMEZONE = "UTC"
DEFAULT_LANG = "en"
FEED_ALL_ATOM = "feed.xml"
ARTICLE_URL = "stories/{{slug}}/"
ARTICLE_SAVE_AS = "stories/{{slug}}/index.html"
DELETE_OUTPUT_DIRECTORY = True
"""
ELEVENTY = """import {{ feedPlugin }} from "@11ty/eleventy-plugin-rss";
export default function (config) {{
  config.addPlugin(feedPlugin, {{
    type: "atom", outputPath: "/feed.xml", collection: {{ name: "story", limit: 0 }},
    metadata: {{ language: "en", title: "Justice in the field", base: "{url}/", author: {{ name: "The team" }} }},
  }});
  return {{ dir: {{ input: "stories", output: "public" }} }};
}}
"""
ELEVENTY_PAGE = (
    "<!doctype html><html lang=en><title>{{ title }}</title><article><h1>{{ title }}</h1>{{ content | safe }}</article>"
)


@dataclass
class Post:
    title: str
    text: str
    date: str


@dataclass
class StaticSite:
    """A site whose posts are changed in ``posts`` (slug to post) and which is then built again."""

    url: str
    folder: Path
    feed: str
    build_with: Callable[["StaticSite"], None]
    posts: dict[str, Post] = field(default_factory=dict)

    def build(self) -> None:
        shutil.rmtree(self.folder / "public", ignore_errors=True)
        self.build_with(self)

    def write_posts(self, folder: str, *, head: Callable[[str, Post], str]) -> None:
        """Write each post as Markdown, and no other file of an earlier build."""
        place = self.folder / folder
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for slug, post in self.posts.items():
            name = f"{post.date[:10]}-{slug}.md" if folder == "_posts" else f"{slug}.md"
            (place / name).write_text(f"{head(slug, post)}\n{post.text}\n")

    def run(self, *command: str, **env: str) -> None:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stdout[-1500:]} {done.stderr[-1500:]}")


def write_yaml_head(slug: str, post: Post) -> str:
    return f'---\ntitle: "{post.title}"\ndate: {post.date}\nslug: {slug}\nlayout: post\ntags: story\n---\n'


def write_pelican_head(slug: str, post: Post) -> str:
    return f"Title: {post.title}\nDate: {post.date[:10]} {post.date[11:16]}\nSlug: {slug}\n"


def build_jekyll(site: StaticSite) -> None:
    site.write_posts("_posts", head=write_yaml_head)
    layouts = site.folder / "_layouts"
    layouts.mkdir(exist_ok=True)
    (layouts / "post.html").write_text(JEKYLL_PAGE)
    (site.folder / "_config.yml").write_text(JEKYLL.format(url=site.url))
    site.run("jekyll", "build", "--quiet", "--destination", "public", LANG="C.UTF-8")


def build_hugo(site: StaticSite) -> None:
    site.write_posts("content/stories", head=write_yaml_head)
    layouts = site.folder / "layouts" / "_default"
    layouts.mkdir(parents=True, exist_ok=True)
    for name in ("single.html", "list.html"):
        (layouts / name).write_text(HUGO_PAGE)
    (site.folder / "config.toml").write_text(HUGO.format(url=site.url))
    site.run("hugo", "--quiet")


def build_pelican(site: StaticSite) -> None:
    site.write_posts("content", head=write_pelican_head)
    (site.folder / "pelicanconf.py").write_text(PELICAN.format(url=site.url))
    site.run(str(find_tool("pelican")), "--quiet", "--settings", "pelicanconf.py")


def build_eleventy(site: StaticSite) -> None:
    site.write_posts("stories", head=write_yaml_head)
    modules = find_node_modules()
    link = site.folder / "node_modules"
    if not link.exists():
        link.symlink_to(modules)
    layouts = site.folder / "stories" / "_includes"
    layouts.mkdir()
    (layouts / "post.njk").write_text(ELEVENTY_PAGE)
    address = '{"permalink": "/stories/{{ page.fileSlug }}/", "layout": "post.njk"}'
    (site.folder / "stories" / "stories.json").write_text(address)
    (site.folder / "eleventy.config.js").write_text(ELEVENTY.format(url=site.url))
    (site.folder / "package.json").write_text(json.dumps({"type": "module"}))
    site.run("node", str(modules / "@11ty" / "eleventy" / "cmd.cjs"), "--quiet")


GENERATORS: dict[str, tuple[Callable[[StaticSite], None], str]] = {
    "jekyll": (build_jekyll, "/feed.xml"),
    "hugo": (build_hugo, "/index.xml"),
    "pelican": (build_pelican, "/feed.xml"),
    "eleventy": (build_eleventy, "/feed.xml"),
}


@contextmanager
def serve_generated(generator: str, *, folder: Path) -> Iterator[StaticSite]:
    """Serve a site of that generator. The test builds it."""
    build_with, feed = GENERATORS[generator]
    (folder / "public").mkdir(parents=True)
    handler = partial(_Quiet, directory=str(folder / "public"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        yield StaticSite(url=url, folder=folder, feed=url + feed, build_with=build_with)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return
