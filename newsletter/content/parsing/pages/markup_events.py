"""Read events in microdata or RDFa, in the form of JSON-LD nodes."""

import re
from collections.abc import Mapping
from typing import Any

import lxml.html
from lxml.html import HtmlElement

from newsletter.content.parsing.cpu_budget import CpuBudgetExceeded, cpu_budget
from newsletter.content.parsing.pages.json_ld import walk

_SECONDS = 3.0
_MAX_NODES = 5_000
_VOCABULARY = re.compile(r"^https?://(?:www\.)?schema\.org/", re.IGNORECASE)
_READ_ERRORS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, AssertionError)


def read_markup_events(tree: HtmlElement | None, *, url: str) -> list[Mapping[str, Any]]:
    """Return the nodes of a page's microdata, else of its RDFa; none if it has neither or they cannot be read."""
    marked = tree is not None and tree.find(".//*[@itemscope]") is not None
    typed = tree is not None and tree.find(".//*[@typeof]") is not None
    if not marked and not typed:
        return []
    # The libraries take half a second to load and are needed only for pages without JSON-LD.
    from extruct.rdfa import RDFaExtractor  # type: ignore[import-untyped]
    from extruct.w3cmicrodata import MicrodataExtractor  # type: ignore[import-untyped]

    try:
        with cpu_budget(_SECONDS):
            if marked:
                items = [_from_microdata(item) for item in MicrodataExtractor().extract_items(tree, base_url=url)]
                nodes = list(walk(items))[:_MAX_NODES]
                if nodes:
                    return nodes
            if typed:
                _show_times(tree)
                text = lxml.html.tostring(tree, encoding="unicode")
                return _from_rdfa(RDFaExtractor().extract(text, base_url=url, expanded=True))
    except (CpuBudgetExceeded, *_READ_ERRORS):
        return []
    return []


def _from_microdata(item: object) -> object:
    if isinstance(item, list):
        return [_from_microdata(part) for part in item]
    if not isinstance(item, dict):
        return item
    kinds = item.get("type")
    properties = item.get("properties")
    node = {name: _from_microdata(value) for name, value in properties.items()} if isinstance(properties, dict) else {}
    return {**node, "@type": kinds, **({"@id": item["id"]} if item.get("id") else {})}


def _show_times(tree: HtmlElement) -> None:
    """Make RDFa use the attribute of a <time> instead of its text."""
    for element in tree.iterfind(".//*[@datetime]"):
        if element.get("property") and element.get("content") is None:
            element.set("content", element.get("datetime") or "")


def _from_rdfa(graph: object) -> list[Mapping[str, Any]]:
    nodes: list[Mapping[str, Any]] = []
    for raw in graph if isinstance(graph, list) else []:
        if isinstance(raw, dict) and raw.get("@type"):
            properties = {_VOCABULARY.sub("", str(name)): value for name, value in raw.items()}
            nodes.append(properties)
    return nodes[:_MAX_NODES]
