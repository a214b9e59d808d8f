"""Images under their heat maps: what speaks for pneumonia in them, as a pushed model sees it.

`job` runs the model and writes the files; `overlay` draws.
"""
