"""A run on this machine, from the images to the report."""
