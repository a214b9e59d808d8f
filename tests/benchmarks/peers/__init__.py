"""What a user would write instead, as a good engineer would write it: scripts of their own."""
