"""Our app for images does what Wagtail's does, without its REST interface."""

import ast
import inspect
import textwrap
from collections.abc import Callable

from wagtail.images.apps import WagtailImagesAppConfig

from newsletter.project.images_app import ImagesConfig

LEFT_OUT = ["register_content_types()", "api.add_router('/images/', router)"]


def list_calls(ready: Callable[..., None]) -> list[str]:
    """Return each call that a `ready` makes for itself. The names of its variables are in lower case."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(ready)))
    statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    return [
        ast.unparse(call).replace("Image,", "image,").replace("=Image,", "=image,").replace("(Image)", "(image)")
        for call in statements
        if isinstance(call, ast.Call)
    ]


def test_our_app_for_images_calls_all_that_wagtail_calls_but_its_api() -> None:
    ours, theirs = list_calls(ImagesConfig.ready), list_calls(WagtailImagesAppConfig.ready)
    assert [call for call in theirs if call not in ours] == LEFT_OUT
    assert [call for call in ours if call not in theirs] == []
