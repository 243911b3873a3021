"""The studies: grids of training runs that are too long for a chapter, one file each. ``course study`` runs them."""
