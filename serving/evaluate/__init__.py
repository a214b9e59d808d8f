"""Judging labelled pictures with a pushed model, and writing what that tells of it.

`job` does it: `labelled` and `labels_table` find the pictures, `judging` asks the model about them
and `spoiling` about spoilt ones, `components.analysis` computes, `writing` writes.
"""
