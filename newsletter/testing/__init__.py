"""Contract suites for extensions. Subclass the suite of each kind in your tests, say what it needs, and run pytest.

The suites need no database and no settings, and contact only this machine.
"""
