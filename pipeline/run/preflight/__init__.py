"""What is checked and announced before a run computes anything."""
