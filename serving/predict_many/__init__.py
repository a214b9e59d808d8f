"""Predicting any number of images in Beam, into a table; a killed call resumes where it stopped.

`job` does it: `inputs` cuts what is to be evaluated into chunks, files or one of `records`, which
`predicting` evaluates in Beam; `parts` holds their rows, until `tables` writes them.
"""
