"""Each detail that the code writes into the staff log has a label there."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import override

from newsletter.desk.staff.log_details import LABELS, ONLY_FOR_PROGRAMS, label_details
from subscribers.models import Basis, ImportKind

ROOT = Path(__file__).parents[2]
_NO_DETAILS = {"instance", "message"}


def _list_details(call: ast.Call) -> Iterator[str]:
    """Yield the names of details that a call logs: of `log`, of `Done`, and of `self.done` of a page with a form."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if function == "done":
        yield from (word.arg for word in call.keywords if word.arg and word.arg not in _NO_DETAILS)
        return
    words = {"log": ("data",), "log_step": ("data",), "Done": ("log_data",)}.get(function, ())
    values = [word.value for word in call.keywords if word.arg in words]
    values += call.args[1:2] if function == "Done" else []
    for value in values:
        if isinstance(value, ast.Dict):
            yield from (str(key.value) for key in value.keys if isinstance(key, ast.Constant))


def test_each_detail_of_the_staff_log_has_a_label() -> None:
    found = {
        name: f"{file.relative_to(ROOT)}:{node.lineno}"
        for package in ("newsletter", "subscribers")
        for file in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for name in _list_details(node)
    }
    assert {"role", "people", "batch"} <= found.keys()
    missing = {name: where for name, where in found.items() if name not in {*LABELS, *ONLY_FOR_PROGRAMS}}
    assert not missing, f"give these details a label in newsletter/desk/staff/log_details.py: {missing}"


def test_choices_in_the_staff_log_are_in_the_words_of_its_reader() -> None:
    with override("es"):
        details = label_details({"kind": "join", "basis": "consent"}, action="subscribers.import_terms")
        assert details == f"tipo: {ImportKind.JOIN.label}, base jurídica: {Basis.CONSENT.label}"
    assert label_details({"kind": "of_an_extension"}, action="x") == "kind: of_an_extension"
