"""Why a component failed, in words."""

import re

from components.errors import UserError

_RAISED = re.compile(
    r"(?:^|\s)(?:components\.errors\.)?UserError: (.+?)"
    r"(?:\s*\[while running '|\n\n(?:The above|During handling of the above) exc|\nTraceback|\Z)",
    re.DOTALL,
)


def explain(error: BaseException) -> str:
    """Tells an error to a person.

    Beam wraps what a component raises into a RuntimeError that holds the traceback as text.

    Args:
      error: What the orchestrator raised.

    Returns:
      The message of the UserError inside, if there is one, else the error's type and last line.
    """
    for link in _chain(error):
        if isinstance(link, UserError):
            return _without_stage(str(link))
    for link in _chain(error):
        if found := _RAISED.findall(str(link)):
            return str(found[-1]).strip()
    text = _without_stage(str(error)).strip()
    last = text.splitlines()[-1].strip() if text else ""
    if re.match(r"[\w.]+(Error|Exception)\b", last):
        return last
    return f"{type(error).__name__}: {last}" if last else type(error).__name__


def _without_stage(text: str) -> str:
    return re.sub(r"\s*\[while running '.*", "", text, flags=re.DOTALL)


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain
