"""Predicting labelled images with a pushed model, and writing the findings.

`job` does it: `labelled` and `labels_table` find the images; `findings` has `predicting` query the
model about them, `changed` about corrupted and shifted ones, and `serving.analysis` compute;
`writing` writes.
"""
