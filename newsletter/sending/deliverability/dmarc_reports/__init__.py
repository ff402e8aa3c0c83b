"""DMARC aggregate reports about our domains: keep each once, add them up by sender, and say what to do about it."""
