"""The Jinja environment of the mail templates: where they are, what they may call. It renders; it knows no MJML."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    select_autoescape,
)
from markupsafe import Markup, escape

from newsletter.rendering.blocks import Picture
from newsletter.rendering.errors import TemplateError
from newsletter.rendering.text import MAX_LINE_LENGTH, wrap

_HERE = Path(__file__).resolve()
_TEMPLATE_FOLDERS = (_HERE.parents[2] / "templates" / "email", _HERE.parents[1] / "_templates" / "email")
_MAX_LOGO_SIZE = (220, 64)
_HOURS = re.compile(r"\d{1,2}[:.h]\d\d\s?[–-]\s?\d{1,2}[:.h]\d\d(?:\s?[ap]m\b)?")


def default_templates() -> Path:
    """The folder of mail templates: beside the package in a checkout, inside it in a wheel. Raises TemplateError."""
    for folder_path in _TEMPLATE_FOLDERS:
        if (folder_path / "layouts").is_dir():
            return folder_path
    raise TemplateError(
        f"The mail templates are missing: neither {_TEMPLATE_FOLDERS[0]} nor {_TEMPLATE_FOLDERS[1]} is there. Install again."
    )


@lru_cache(maxsize=8)
def make_environment(folder: Path) -> Environment:
    """The environment of one folder, kept with its compiled templates. Only ``.mjml.j2`` is escaped."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("mjml.j2",), default=False, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "paragraphs": _paragraphs,
        "wrap": wrap_filter,
        "underline": _underline,
        "wrap_item": wrap_item,
        "whole_hours": whole_hours,
    }
    environment.globals = {"logo_width": _logo_width}
    return environment


def fill_template(
    environment: Environment, name: str, context: dict[str, Any], *, block: str = "", kind: str = ""
) -> str:
    """Fill one template. Raises TemplateError with the template's name and line for whatever Jinja refuses."""
    try:
        return environment.get_template(name).render(context)
    except TemplateNotFound as error:
        raise TemplateError(f"The template {error.name} is missing.", block=block, kind=kind) from error
    except TemplateSyntaxError as error:
        message = f"The template {error.name}, line {error.lineno}, cannot be read: {error.message}."
        raise TemplateError(message, block=block, kind=kind, line=error.lineno) from error
    except UndefinedError as error:
        line = _find_template_line(error)
        message = f"The template {name}, line {line}, asks for something that does not exist: {error.message}."
        raise TemplateError(message, block=block, kind=kind, line=line) from error


def _find_template_line(error: UndefinedError) -> int:
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(".j2"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def wrap_filter(text: str, indent: str = "") -> str:
    return wrap(str(text), indent=indent)


def wrap_item(text: str) -> str:
    """One item of a list, its later lines set in."""
    return "- " + wrap(str(text), indent="  ").lstrip()


def whole_hours(text: str) -> Markup:
    """“18:30–20:00” in a span that no line ends in."""
    return as_markup(_HOURS.sub(r'<span class="whole">\g<0></span>', str(escape(text))))


def _paragraphs(text: str) -> list[str]:
    return [part for part in text.split("\n\n") if part]


def _underline(text: str, mark: str, length: int = 0) -> str:
    return mark * (length or min(len(text), MAX_LINE_LENGTH))


def _logo_width(logo: Picture) -> int:
    wide, high = _MAX_LOGO_SIZE
    return max(1, min(logo.width, wide, round(logo.width * high / logo.height)))


def as_markup(text: str) -> Markup:
    """Text that a template of ours has already escaped."""
    return Markup(text)  # noqa: S704  (every caller passes output of our escaping templates or sanitised HTML)
