"""Predicting labelled images with a pushed model, and writing the findings.

`job` does it: `labelled` and `labels_table` find the images; `findings` has `predicting` query the
model about them, `corrupting` about corrupted ones, and `serving.analysis` compute; `writing`
writes.
"""
