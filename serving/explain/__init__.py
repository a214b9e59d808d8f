"""Images under their heat maps: what speaks for pneumonia in them, as a pushed model sees it.

`job` asks the model and writes the files; `overlay` draws.
"""
