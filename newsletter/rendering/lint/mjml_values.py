"""Whether an attribute's value is of its type, as the table of MJML names types: unit(px,%){1,4}, color, enum(…)."""

import re

_UNIT = re.compile(r"unit(?P<negative>WithNegative)?\((?P<units>[^)]*)\)(?:\{(?P<min_count>\d),(?P<max_count>\d)\})?")
_ENUM = re.compile(r"enum\((.*)\)")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}|transparent|inherit|rgba?\([\d.,%\s]+\)")
_SHORT = re.compile(r"#[0-9a-fA-F]{3}")


def check_value(kind: str, value: str) -> str:
    """What is wrong with a value, "" where nothing is. Types that are free text pass."""
    if match := _UNIT.fullmatch(kind):
        return _check_units(value, match)
    if match := _ENUM.fullmatch(kind):
        options = match[1].split(",")
        return "" if value in options else f"“{value}” is none of {', '.join(filter(None, options))}"
    if kind == "color":
        if _SHORT.fullmatch(value):
            return f"write “{value}” with six digits, which Outlook needs"
        return "" if _COLOUR.fullmatch(value) else f"“{value}” is not a colour such as #1f4e5f"
    if kind == "integer":
        return "" if value.isdigit() else f"“{value}” is not a whole number"
    if kind == "boolean":
        return "" if value in {"true", "false"} else f"“{value}” is neither true nor false"
    return ""


def _check_units(value: str, kind: re.Match[str]) -> str:
    parts = value.split()
    if not int(kind["min_count"] or 1) <= len(parts) <= int(kind["max_count"] or 1):
        return f"“{value}” has {len(parts)} lengths"
    units = kind["units"].split(",")
    sign = "-?" if kind["negative"] else ""
    words = [unit for unit in units if unit.isalpha() and unit not in {"px", "em"}]
    suffixes = "|".join(re.escape(unit) for unit in units if unit not in words)
    for part in parts:
        if part == "0" and "" not in units:
            return "write 0px for 0: the compiler drops the whole value otherwise"
        if part not in words and not re.fullmatch(rf"{sign}\d+(?:\.\d+)?(?:{suffixes})", part):
            return f"“{part}” is not a length such as 10{units[0]}"
    return ""
