"""Django's PostgreSQL, with waits that end when a page's patience does."""
