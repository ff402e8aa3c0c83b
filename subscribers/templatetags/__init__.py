"""What the pages may ask for."""
