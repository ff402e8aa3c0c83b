"""The offline gazetteer: towns, regions and countries of the world, read-only. It never guesses in silence."""
