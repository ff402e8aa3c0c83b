"""Import files of people: `reading` is framework-free, `writing` holds the services."""
