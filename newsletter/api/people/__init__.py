"""API calls about people and the addresses that must not be mailed."""
