"""Django's PostgreSQL backend with waits that end at the page's deadline."""
