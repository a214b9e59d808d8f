"""Images that do not belong: copies, near copies, leaks between splits."""
