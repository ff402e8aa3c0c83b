"""The load test: staff walk the desk, readers open public pages and an issue is sent, all at once, on one machine."""
