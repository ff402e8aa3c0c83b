"""The lint of MJML templates names file and line of each error."""

import shutil
from pathlib import Path

import pytest

from newsletter.rendering.templates import default_templates
from tests.gallery.mjml_lint import check_mjml, check_templates


def faults(source: str, inside: str | None = "mj-body") -> list[tuple[int, str]]:
    return list(check_mjml(source, inside=inside))


def test_our_own_templates_have_no_problem() -> None:
    assert check_templates(default_templates()) == []


@pytest.mark.parametrize(
    ("source", "line", "fault"),
    [
        ("<mj-sectoin></mj-sectoin>", 1, "there is no element <mj-sectoin>; did you mean mj-section?"),
        ("<mj-section>\n<mj-text>x</mj-text></mj-section>", 2, "<mj-text> cannot stand in <mj-section>. It belongs in"),
        ("<mj-column></mj-column>", 1, "<mj-column> cannot stand in <mj-body>. It belongs in <mj-group>, <mj-section>"),
        ('<mj-section\n colour="#ffffff"></mj-section>', 2, "<mj-section> has no attribute colour"),
        ('<mj-section padding="0 10px"></mj-section>', 1, "write 0px for 0"),
        ('<mj-section padding="10px 10px 1px 1px 1px"></mj-section>', 1, "has 5 lengths"),
        ('<mj-section background-color="#fff"></mj-section>', 1, "with six digits"),
        ('<mj-section background-color="teal"></mj-section>', 1, "“teal” is not a colour"),
        ('<mj-section direction="up"></mj-section>', 1, "“up” is none of ltr, rtl"),
        ("<mj-section direction='ltr'></mj-section>", 1, "must stand in double quotes"),
        ('<mj-section mj-class="a b"></mj-section>', 1, "several mj-class names"),
        ('<mj-include path="x.mjml" />', 1, "<mj-include> loses the widths"),
        ("<mj-wrapper><mj-raw></mj-raw></mj-wrapper>", 1, "Put it outside"),
        ('<mj-hero mode="fluid-height"></mj-hero>', 1, "Use fixed-height"),
        ('<mj-hero border-radius="3px"></mj-hero>', 1, "has no effect with the compiler in use"),
        ('<mj-hero height="abc"></mj-hero>', 1, "“abc” is not a length such as 10px"),
        ("<mj-section></mj-column>", 1, "</mj-column> closes where <mj-section> is open"),
        ("</mj-section>", 1, "</mj-section> closes where <mj-body> is open"),
        ("<mj-section>\n\n", 3, "<mj-section> is never closed"),
    ],
)
def test_an_error_that_the_compiler_accepts_is_found_with_its_line(source: str, line: int, fault: str) -> None:
    assert any(at == line and fault in said for at, said in faults(source)), faults(source)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("<mj-section></mj-section>", "<mj-section> is outside <mjml>"),
        (
            '<mjml><mj-head><mj-style inline="inline">p{}</mj-style></mj-head></mjml>',
            "inline of <mj-style> has no effect",
        ),
        (
            '<mjml><mj-head><mj-attributes><mj-class name="a"><mj-text color="#111111" /></mj-class></mj-attributes>'
            "</mj-head></mjml>",
            "can hold no defaults",
        ),
        (
            '<mjml><mj-head><mj-attributes><mj-text colour="#111111" /></mj-attributes></mj-head></mjml>',
            "has no attribute colour",
        ),
        (
            '<mjml><mj-head><mj-attributes><mj-all colour="x" /></mj-attributes></mj-head></mjml>',
            "<mj-all> has no attribute colour",
        ),
        ('<mjml><mj-body><mj-section><mj-column><mj-carousel icon-width="x" /></mj-column></mj-section></mj-body></mjml>',
         "is not a length"),
    ],
)  # fmt: skip
def test_a_layout_is_checked_from_its_root(source: str, fault: str) -> None:
    assert any(fault in said for _, said in faults(source, inside="")), faults(source, inside="")


def test_a_value_that_a_template_fills_in_is_not_checked() -> None:
    source = (
        '<mj-section padding="{{ a }}px 0px" {% if b %}background-color="{{ c }}"{% endif %}>'
        "{# <mj-nonsense> #}<mj-column>\n<mj-text>{{ d }}</mj-text></mj-column></mj-section>"
    )
    assert faults(source) == []


def test_a_part_of_unknown_parent_is_not_checked_for_nesting() -> None:
    assert faults("<mj-column></mj-column>", inside=None) == []


def test_a_problem_names_its_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "email"
    shutil.copytree(default_templates(), folder)
    path = folder / "blocks" / "divider.mjml.j2"
    before, after = path.read_text().split("<mj-divider")
    path.write_text(f"{before}<mj-dividre{after}")
    problems = [str(problem) for problem in check_templates(folder)]
    expected = f"blocks/divider.mjml.j2, line {before.count(chr(10)) + 1}: there is no element <mj-dividre>"
    assert any(expected in problem for problem in problems)
