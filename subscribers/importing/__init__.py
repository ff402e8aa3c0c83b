"""Import files of people: `reading` is framework-free, `writing` has the services."""
