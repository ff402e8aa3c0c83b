"""Towns, regions and countries. The rest of the product asks these modules what a place name means."""
