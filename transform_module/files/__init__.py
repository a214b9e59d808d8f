"""The files of a model: their checksums, and writing that survives a crash."""
