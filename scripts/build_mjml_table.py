"""Build tests/gallery/mjml_table.json: the elements of MJML, their attributes and their children.

Its input is what the official compiler registers. Run this again when the MJML in use changes:

    npm install mjml@5
    node -e '
      require("mjml")
      const {components} = require("mjml-core"), {dependencies} = require("mjml-validator")
      const describe = ([name, one]) => [name, {attrs: one.allowedAttributes || {}, endingTag: !!one.endingTag}]
      const found = {components: Object.fromEntries(Object.entries(components).map(describe)), dependencies}
      console.log(JSON.stringify(found, (_, value) => value instanceof RegExp ? String(value) : value))
    ' > mjml5-schema.json
    python scripts/build_mjml_table.py mjml5-schema.json
"""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "tests" / "gallery" / "mjml_table.json"
EVERYWHERE = {"css-class": "string", "mj-class": "string"}
ROOT = {"mjml": {"attributes": {"lang": "string", "dir": "enum(ltr,rtl,auto)", "owa": "string"}, "text": False}}


def build_table(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return each element's ``attributes`` (name to type), ``children`` (None: any) and whether it holds ``text``."""
    children = {name: _names(allowed) for name, allowed in schema["dependencies"].items()}
    table: dict[str, dict[str, Any]] = {}
    for name, component in schema["components"].items():
        table[name] = {"attributes": {**EVERYWHERE, **component["attrs"]}, "text": component["endingTag"]}
    table |= {name: {**row, "attributes": {**row["attributes"]}} for name, row in ROOT.items() if name not in table}
    table.setdefault("mj-raw", {"attributes": {"position": "string"}, "text": True})
    for name, row in table.items():
        row["children"] = children.get(name, [])
    return dict(sorted(table.items()))


def _names(allowed: list[str]) -> list[str] | None:
    """Return the names, or None if the registry has a pattern that matches every name."""
    return None if any(name.startswith("/") for name in allowed) else sorted(allowed)


def main(schema_file: Path) -> None:
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    rows = (f"{json.dumps(name)}: {json.dumps(row, sort_keys=True)}" for name, row in build_table(schema).items())
    OUT.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("schema_file", type=Path)
    main(**vars(parser.parse_args()))
