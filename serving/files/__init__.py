"""Files and folders: links, remote places, replacing a folder at once."""
