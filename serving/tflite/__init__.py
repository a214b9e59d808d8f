"""A pushed model for telephones and small boards: TFLite files, of smaller numbers.

`export` does it: `pictures` reads what the network is shown, `network` takes it out of the
SavedModel, `conversion` converts it, `measure` compares what came out, `record` describes it.
"""
