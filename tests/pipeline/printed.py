"""Reading what a command printed."""


def cells(text, first):
    """The cells of the one line that begins with a word."""
    (line,) = (line for line in text.splitlines() if line.split()[:1] == [first])
    return line.split()


def tables(text):
    """The blocks of lines between empty ones."""
    return [block.splitlines() for block in text.strip("\n").split("\n\n")]
