"""Image files: finding them, their labels and patients, formats, checks."""
