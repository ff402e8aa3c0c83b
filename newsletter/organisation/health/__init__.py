"""The health of an installation: checks that say ok, warning or error, and what to do. They change nothing."""
