"""`preprocessing_fn`, and the image ops that training and serving share."""
