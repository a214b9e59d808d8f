"""Archives, zip and tar: their members are listed and read, and never unpacked to their names."""
