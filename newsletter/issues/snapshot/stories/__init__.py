"""The stories of an issue: as records, and their pages in our own archive."""
