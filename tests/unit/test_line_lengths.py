"""The files that designers read: templates of emails and pages, styles and scripts."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMITS = {
    "templates/email/**/*": 140,
    "templates/web/**/*.html": 200,  # Django's tags cannot be broken
    "newsletter/static/newsletter/*.css": 140,
    "newsletter/static/newsletter/*.js": 140,
    "subscribers/static/**/*.css": 140,
    "subscribers/static/**/*.js": 140,
    "integrations/**/*.css": 140,
    "integrations/**/*.js": 140,
    "examples/**/*.j2": 140,
}


def read_lines(pattern: str) -> Iterator[tuple[str, str]]:
    """Return each line of the files, after the file and the line's number."""
    for path in sorted(ROOT.glob(pattern)):
        if path.is_file():
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                yield f"{path.relative_to(ROOT).as_posix()}, line {number}", line


def test_no_line_of_templates_styles_and_scripts_is_too_long() -> None:
    lengths = {pattern: [(place, len(line)) for place, line in read_lines(pattern)] for pattern in LIMITS}
    assert all(lengths.values()), "a pattern matches no file"
    too_long = [
        f"{place}: {length} characters, and {LIMITS[pattern]} are the limit"
        for pattern, places in lengths.items()
        for place, length in places
        if length > LIMITS[pattern]
    ]
    assert too_long == [], "\n".join(too_long)


def test_no_line_of_an_email_template_ends_in_a_space() -> None:
    """The compiler keeps white space that begins with a space."""
    ending_in_space = [place for place, line in read_lines("templates/email/**/*") if line != line.rstrip()]
    assert ending_in_space == [], "\n".join(ending_in_space)


def test_email_templates_are_indented_by_two_spaces_a_level() -> None:
    """Continued comments have three, so only elements and statements count."""
    odd = [
        place
        for place, line in read_lines("templates/email/**/*.mjml.j2")
        if line.lstrip().startswith(("<", "{%")) and (len(line) - len(line.lstrip())) % 2
    ]
    assert odd == [], "\n".join(odd)
