"""The organisation: its file, its staff accounts, and the health of its installation."""
