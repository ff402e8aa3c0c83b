"""Compare the tools and print the result as Markdown: `python -m benchmarks`."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import measure_kill, measure_speed
from benchmarks.page import Measured, write_page
from benchmarks.provider import Provider, serve_provider
from benchmarks.tools.bare_loop import BareLoop
from benchmarks.tools.base import Tool
from benchmarks.tools.django_newsletter import DjangoNewsletter
from benchmarks.tools.ghost import Ghost
from benchmarks.tools.newsletter import Newsletter

TOOLS: tuple[type[Tool], ...] = (Newsletter, DjangoNewsletter, BareLoop, Ghost)


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks", description="Compare senders on an imitation of a provider.")
    parser.add_argument("--people", type=int, default=5_000, help="how many people a measured send has")
    parser.add_argument("--kill-people", type=int, default=2_000, help="how many people a killed send has")
    parser.add_argument("--kills", type=int, default=10, help="how often a send of each tool is killed")
    parser.add_argument("--latency-ms", type=int, default=150, help="how long the provider takes to answer")
    parser.add_argument("--rounds", type=int, default=3, help="how often each send is measured")
    parser.add_argument("--tool", choices=[tool.name for tool in TOOLS], action="append", help="only this tool")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page to this file, too")
    parser.add_argument("--note", default="", help="a sentence for the page, such as what else ran on the machine")
    given = parser.parse_args()
    chosen = [tool for tool in TOOLS if not given.tool or tool.name in given.tool]
    missing = {tool.name: why for tool in chosen if (why := tool.find_missing())}
    for name, why in missing.items():
        if given.tool:
            parser.error(f"{name} cannot be measured: {why}")
        sys.stderr.write(f"{name} is left out: {why}\n")
    with (
        TemporaryDirectory(prefix="newsletter-benchmarks-") as folder,
        serve_provider(latency=given.latency_ms / 1000) as provider,
    ):
        measured = [_measure(tool, Path(folder), provider, given) for tool in chosen if tool.name not in missing]
    page = write_page(measured, latency_ms=given.latency_ms, arguments=sys.argv[1:], note=given.note, left_out=missing)
    sys.stdout.write(page)
    if given.write:
        given.write.write_text(page)


def _measure(tool: type[Tool], folder: Path, provider: Provider, given: Namespace) -> Measured:
    sys.stderr.write(f"{tool.name}: {given.rounds} sends to {given.people:,} people\n")
    speeds, version = [], ""
    for made in _prepare(tool, folder, provider, people=given.people, times=given.rounds):
        version = version or made.version()
        speeds.append(measure_speed(made, provider, people=given.people))
    kills = []
    if tool.keeps_records and given.kills:
        sys.stderr.write(f"{tool.name}: {given.kills} kills in a send to {given.kill_people:,} people\n")
        fresh = _prepare(tool, folder, provider, people=given.kill_people, times=given.kills)
        for number, made in enumerate(fresh, 1):
            after = given.kill_people * number // (given.kills + 1)
            kills.append(measure_kill(made, provider, people=given.kill_people, after=after))
    return Measured(tool.name, version, tool.about_kills, tool.description, speeds, kills)


def _prepare(tool: type[Tool], folder: Path, provider: Provider, *, people: int, times: int) -> Iterator[Tool]:
    """Yield so many fresh installations, each filled with an issue and its people."""
    for number in range(times):
        made = tool(folder / f"{tool.name}-{people}-{number}", provider_url=provider.url)
        made.prepare(people)
        yield made


if __name__ == "__main__":
    main()
