"""The components of the pipeline, each found by its id, and the conversion that feeds them."""
