"""A report on a dataset: sizes, kinds of files, shortcuts, leaks, and a contact sheet."""
