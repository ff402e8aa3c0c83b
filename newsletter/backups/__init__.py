"""Back up, verify and restore an installation, and move it from SQLite to PostgreSQL."""
