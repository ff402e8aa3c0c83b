"""The health of an installation: checks that say ok, warning or error, and what to do.

They change nothing but the unsubscribe journal, to which they add what it misses.
"""
