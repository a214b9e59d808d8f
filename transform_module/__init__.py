"""`preprocessing_fn`, and the contract that all packages share: names, errors, pixels."""
