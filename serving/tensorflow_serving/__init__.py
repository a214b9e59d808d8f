"""Running TensorFlow Serving on what was pushed: its configuration, and the files of a place."""
