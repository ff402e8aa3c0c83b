"""Every layout in every brand, as browsers draw it: the contact sheet, the block pages, and the checks of both."""
