"""Commands of their own, each in a module."""
