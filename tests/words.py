"""The house words: each has a plain technical one in its place."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable

_REPLACED = (
    r"pictures?",
    r"judg\w+",
    r"answer\w*",
    r"tells?|told|telling|untold",
    r"usable",
    r"spoil\w*|spoilt",
    r"mend(?:s|ed|ing)?",
    r"out of its ground|of its kind|of the model's kind",
    r"left in peace",
    r"from nothing",
    r"hangs? on",
    r"ask(?:s|ed|ing)?",
    r"(?<!there )(?:is|are|was|were) no(?! (?:longer|more|less)\b)",
    r"bears? no|is refused as",
    r"stands?(?! (?:for|in)\b)|stood",
    r"goes on|go on|going on|went on",
    r"lays?|laid",
    r"learn(?:t|s) from|learnt",
)
_PATTERN = re.compile(rf"\b(?:{'|'.join(_REPLACED)})\b", re.IGNORECASE)

ALLOWED = (
    "report.pictures",  # a setting
    "answer_bytes",  # a limit of the server, given on its command line
)
"""Names that are interfaces: configurations and scripts of users have them."""


def replaced(text: str) -> list[str]:
    """Returns each such word of a text with what is around it."""
    for name in ALLOWED:
        text = text.replace(name, "")
    return [text[max(0, m.start() - 40) : m.end() + 30] for m in _PATTERN.finditer(text)]


def literals(script: str) -> Iterable[str]:
    """Yields the string literals of a script, without its comments."""
    tokens = re.compile(
        r"/\*.*?\*/|(?<!:)//[^\n]*|\"((?:[^\"\\\n]|\\.)*)\"|`((?:[^`\\]|\\.)*)`", re.DOTALL
    )
    for match in tokens.finditer(script):
        yield from (group for group in match.groups() if group)


def messages(source: str) -> Iterable[tuple[int, str]]:
    """Yields line and text of each string with a blank in Python code, without docstrings.

    What an f-string is filled with is left out.
    """
    tree = ast.parse(source)
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            passed.update(map(id, node.values))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value for part in node.values if isinstance(part, ast.Constant))
            text = "{}".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = "" if id(node) in passed else node.value
        else:
            continue
        if " " in text.strip():
            yield node.lineno, text


def descriptions(source: str) -> Iterable[tuple[int, str]]:
    """Yields line and text of each docstring and each comment in Python code."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def definitions(source: str) -> Iterable[tuple[int, str]]:
    """Yields line and name, its words apart, of each class, function and parameter."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, _apart(node.name)
        elif isinstance(node, ast.arg):
            yield node.lineno, _apart(node.arg)


def _apart(name: str) -> str:
    if name in ALLOWED:
        return ""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.replace("_", " "))


def prose(markdown: str) -> str:
    """Returns a document without its blocks and spans of code."""
    return re.sub(r"```.*?```|`[^`\n]+`", "", markdown, flags=re.DOTALL)
