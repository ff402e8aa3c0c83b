"""The organisation as data: its file, its staff, and the health of its installation."""
