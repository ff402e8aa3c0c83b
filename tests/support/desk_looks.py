"""Check each page of the desk: axe at two widths in light and dark, and nothing cut at four widths."""

import os
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page

from tests.support.axe import finish_animations, run_axe
from tests.support.desk_pages import fill
from tests.support.desk_routes import LOOKED_AT, list_desk_routes

Look = tuple[int, str]
ALL_LOOKS = "NEWSLETTER_ALL_LOOKS"
WIDTHS = (1280, 1024, 768, 375)
HEIGHT = 800
SCHEMES = ("light", "dark")
PAIRS: tuple[dict[str, tuple[Look, ...]], ...] = (
    {"en": ((1280, "light"),), "es": ((375, "dark"),), "ar": ((375, "light"),)},
    {"en": ((375, "light"),), "es": ((1280, "dark"),), "ar": ((1280, "dark"),)},
)
"""The looks of one page and of the next. `make desk-looks` takes all four in each language."""
PARTS = ("list_results", "index_results", "choose", "choose_results", "chosen", "chosen_multiple", "create")
"""The last part of the names of routes that are a piece of a page or a dialog of the editor."""
NO_PAGE = {
    "newsletter_issue_checks": "a side panel of the editor",
    "newsletter_clicked_mail": "a mail in the report's iframe",
    "newsletter_setup_brand_sample": "a mail in the iframe of a step",
    "newsletter_saved_mail": "a mail in the iframe of a saved block",
    "newsletter_issue_mail": "a mail in the issue page's iframe",
    "newsletter_mail_template_preview": "a single mail in the iframe of its template",
    "newsletter_issue_compared": "two mails in the iframe of the comparison",
    "newsletter_send_progress": "JSON",
    "newsletter_person_issue": "a mail as one person got it",
    "newsletter_person_mail_part": "a mail in the iframe of its page",
    "subscribers_import_progress": "JSON",
    "subscribers_import_refused": "a file",
    "subscribers_regions": "JSON",
    "subscribers_towns": "JSON",
}
WAGTAIL_PAGES = (
    "wagtailadmin_home",
    "wagtailadmin_account",
    "wagtailimages:index",
    "wagtailimages:add",
    "wagtailimages:add_multiple",
    "wagtailimages:edit",
    "wagtailsnippets_newsletter_appeal:add",
    "wagtailsnippets_newsletter_issue:history",
    "wagtailsnippets_newsletter_publication:history",
    "wagtailsnippets_newsletter_story:usage",
    "wagtailusers_users:history",
    "mfa_index",
    "mfa_activate_totp",
    "usersessions_list",
)
"""Pages that Wagtail or allauth serves with our templates, styles and words."""
DELETE_IMAGES = "/admin/images/bulk/wagtailimages/image/delete/?next=/admin/images/&id="
"""The page that asks before staff delete the images that they ticked."""

FIND_CUT = """() => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) faults.push(`the page is ${root.scrollWidth - innerWidth} px too wide`);
  const shown = one => one.checkVisibility({checkOpacity: true, checkVisibilityCSS: true});
  const told = one => one.closest('[title], a[aria-label], button[aria-label], [data-w-tooltip-content-value]');
  for (const one of document.body.querySelectorAll('*')) {
    if (!shown(one) || one.closest('[aria-hidden=true], svg, .w-sr-only, .visuallyhidden, iframe')) continue;
    const box = one.getBoundingClientRect();
    const head = one.closest('thead, .c-sf-block__title, .c-sf-block__type');
    if (box.width < 2 || box.height < 2 || (head && (head.tagName !== 'THEAD' || head.clientHeight < 2))) continue;
    const style = getComputedStyle(one);
    const owns = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (owns && style.overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1 && !told(one) &&
        !['INPUT', 'TEXTAREA', 'SELECT', 'OPTION', 'PRE', 'CODE'].includes(one.tagName))
      faults.push(`cut: ${one.outerHTML.slice(0, 120)}`);
    if (one.matches('table') || owns) {
      let scrolled = one.parentElement;
      while (scrolled && !['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(scrolled).overflowX))
        scrolled = scrolled.parentElement;
      const edge = scrolled && scrolled !== document.body ? scrolled.getBoundingClientRect().right : innerWidth;
      if (box.right > edge + 2 && box.left >= 0 && !told(one)) faults.push(`outside: ${one.outerHTML.slice(0, 120)}`);
    }
  }
  for (const head of document.querySelectorAll('h1, h2, h3, th, .w-breadcrumbs li:last-child')) {
    if (!shown(head) || head.closest('[aria-hidden=true], .w-sr-only') || head.clientHeight < 2) continue;
    const texts = document.createTreeWalker(head, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      // An address has no place of its own for a break.
      const words = text.textContent.replace(/\\S+@\\S+/g, address => '.'.repeat(address.length));
      for (const word of words.matchAll(/[\\p{L}]{2,14}(?![\\p{L}])/gu)) {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].filter(one => one.width > 1).map(one => Math.round(one.top)));
        if (lines.size > 1) faults.push(`broken inside: ${word[0]}`);
      }
    }
  }
  return faults.slice(0, 6);
}"""


def list_looks(language: str, *, number: int) -> tuple[Look, ...]:
    """Return the looks of the page of this number: one in each language, or all."""
    if os.environ.get(ALL_LOOKS):
        return tuple((width, scheme) for width in (1280, 375) for scheme in SCHEMES)
    return PAIRS[number % len(PAIRS)][language]


def list_pages(rows: dict[str, str]) -> dict[str, str]:
    """Return the address of each page of the desk by the route's name."""
    routes = {**dict(_list_all(get_resolver())), **dict(list_desk_routes(get_resolver()))}
    names = [name for name in LOOKED_AT if name not in NO_PAGE and not is_part(name)]
    pages = {name: _fill(name, routes[name], rows) for name in (*WAGTAIL_PAGES, *names)}
    image = rows.get("admin/images")
    return {**pages, **({"wagtail_bulk_action": DELETE_IMAGES + image} if image else {})}


def is_part(name: str) -> bool:
    last = name.rpartition(":")[2]
    return last in PARTS or last.startswith("preview_on_") or last == "revisions_view"


def _fill(name: str, address: str, rows: dict[str, str]) -> str:
    own = {address: rows[name]} if name in rows else {}
    return fill(address, name.partition(" ")[2], {**rows, **own})


def _list_all(resolver: URLResolver, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    for found in resolver.url_patterns:
        address = prefix + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from _list_all(found, address, ":".join(filter(None, (space, found.namespace))))
        elif isinstance(found, URLPattern) and found.name:
            yield f"{space}:{found.name}" if space else found.name, address


def look_at(page: Page, name: str, address: str, *, looks: tuple[Look, ...]) -> list[str]:
    """Open the page once and return what is wrong with it, with the look in which it is."""
    show(page, looks[0])
    response = page.goto(address)
    if response is None or response.status != 200 or not page.url.endswith(address):
        return [f"{name} {address} does not open"]
    if "sandbox" in response.headers.get("content-security-policy", ""):  # its scripts never run, so nothing ends
        return [f"{name} {address} is a document of an iframe: name it in NO_PAGE"]
    return find_faults(page, address, looks=looks)


def find_faults(page: Page, address: str, *, looks: tuple[Look, ...]) -> list[str]:
    """Return what is wrong with the open page: axe in these looks, and what each width cuts off."""
    faults = []
    for width in WIDTHS:
        schemes = [scheme for wide, scheme in looks if wide == width]
        for scheme in schemes or [looks[0][1]]:
            show(page, (width, scheme))
            if schemes:
                show_whole_page(page, width)
                faults += [f"{address} ({width}, {scheme}): {rule}: {html[:140]}" for rule, html in run_axe(page)]
        faults += [f"{address} at {width} px: {fault}" for fault in page.evaluate(FIND_CUT)]
    return faults


def show_whole_page(page: Page, width: int) -> None:
    """Make the window as high as the page, so that the bar at its foot covers no field: people scroll, axe does not."""
    height = page.evaluate(
        f"() => Math.max({HEIGHT}, ...Array.from(document.querySelectorAll('main, body'), e => e.scrollHeight))"
    )
    page.set_viewport_size({"width": width, "height": height})
    finish_animations(page)


def show(page: Page, look: Look) -> None:
    width, scheme = look
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    finish_animations(page)
