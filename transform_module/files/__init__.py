"""Files: their checksums, writing that survives a crash, and stores elsewhere."""
