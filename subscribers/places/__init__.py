"""Towns, regions and countries. The rest of the product uses these modules to find the meaning of a place name."""
