"""What the commands print: tables, progress, text in a terminal."""
