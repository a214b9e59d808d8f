"""Files and folders: links, lists on disk, replacing a folder at once."""
