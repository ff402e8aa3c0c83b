"""These tests need `examples/plugin` installed. `tests/unit/extensions/test_example_plugin.py` installs it and runs them."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("newsletter_example") else ["test_example_in_use.py"]
