"""The people of a send whom staff must look at: refused, not reached, uncertain."""
