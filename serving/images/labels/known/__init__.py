"""The tables of public datasets, each by its published description."""
