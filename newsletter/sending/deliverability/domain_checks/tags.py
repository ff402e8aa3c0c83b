"""Read a list of tags such as ``v=DMARC1; p=none``, as DKIM, DMARC, MTA-STS, TLS-RPT and BIMI write them."""


def read_tags(text: str) -> dict[str, str]:
    """Return the tags with lower-case names. The first of several equal names counts; parts without = are left out."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, mark, value = part.partition("=")
        if mark:
            tags.setdefault(name.strip().lower(), value.strip())
    return tags


def find_version(text: str) -> str:
    """Return the value of a leading ``v`` tag, "" if the text does not begin with one."""
    name, _, value = text.split(";")[0].partition("=")
    return value.strip() if name.strip().lower() == "v" else ""
