"""TensorFlow Serving's two APIs: requests read, responses written."""
