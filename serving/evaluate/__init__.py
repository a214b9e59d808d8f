"""Judging labelled pictures with a pushed model, and writing what that tells of it.

`job` does it: `labelled` and `labels_table` find the pictures; `findings` has `judging` ask the
model about them, `spoiling` about spoilt ones, and `components.analysis` compute; `writing` writes.
"""
