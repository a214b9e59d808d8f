"""What a model's answers about labelled pictures tell: figures, intervals, curves, comparisons.

NumPy and SciPy alone; nothing here reads a file, a model or a clock.
"""
