"""Everything after the push; it reads only what was pushed."""
