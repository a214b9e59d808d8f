"""A pushed model for telephones and small boards: TFLite files, of smaller numbers.

`export` does it: `choice` and `pixels` decide what the network is shown, `conversion` converts it,
with `head` for what stays in floating point, `measure` compares what came out, `record` describes
it.
"""
