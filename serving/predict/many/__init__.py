"""Predicting any number of images in Beam, into a table; a killed call resumes where it stopped.

`job` does it: `inputs` cuts what is to be predicted into chunks, files or one of `records`, which
`predicting` predicts in Beam; `parts` holds their rows, until `tables` writes them.
"""
