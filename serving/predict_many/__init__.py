"""Judging any number of pictures in Beam, into a table; a killed call goes on where it stopped.

`job` does it: `inputs` cuts what is to be judged into chunks, files or one of `records`, which
`judging` judges in Beam; `parts` holds their rows, until `tables` writes them.
"""
