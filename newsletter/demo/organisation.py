"""The sample organisation's file, ready to be applied. It holds the text only; applying it is done elsewhere."""

from importlib.resources import files

LIST_SLUG = "weekly"
PUBLICATION_SLUG = "weekly"


def write_organisation(*, site: str) -> str:
    """The organisation's file as TOML text, with every link under ``site`` (a base URL without a last "/")."""
    template = files("newsletter.demo").joinpath("organisation.toml").read_text(encoding="utf-8")
    return template.replace("{site}", site)
