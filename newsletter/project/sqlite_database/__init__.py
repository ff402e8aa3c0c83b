"""Django's SQLite backend with writes that wait in a queue: first come, first served."""
