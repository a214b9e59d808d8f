"""The READMEs, and what tests read in them."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.pipeline.command import REPOSITORY


@dataclass(frozen=True)
class Readme:
    """One README.

    Attributes:
        name: its path in the repository.
        text: its content.
    """

    name: str
    text: str

    @property
    def folder(self) -> Path:
        """The folder that it describes."""
        return (REPOSITORY / self.name).parent

    def blocks(self, language: str) -> list[str]:
        """The code blocks of a language."""
        return re.findall(rf"```{language}\n(.*?)```", self.text, re.DOTALL)

    def lines(self, program: str) -> list[str]:
        """The lines of shell blocks that begin with a program, without their comments."""
        shell = "\n".join(self.blocks("sh")).replace("\\\n", " ")
        return re.findall(rf"^{program} .*?(?=\s+#|$)", shell, re.MULTILINE)

    def mentions(self, program: str) -> list[str]:
        """The calls of a program within sentences and tables."""
        outside = re.sub(r"```.*?```", "", self.text, flags=re.DOTALL)
        spans = (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", outside))
        return [span for span in spans if span.startswith(f"{program} ")]

    def anchors(self, level: str = "##+") -> set[str]:
        """The anchors of its headings, as GitHub makes them."""
        text = re.sub(r"```.*?```", "", self.text, flags=re.DOTALL)
        titles = re.findall(rf"^{level} (.*)$", text, re.MULTILINE)
        return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}

    def links(self) -> list[str]:
        """The links, and the images, of this repository."""
        text = re.sub(r"```.*?```", "", self.text, flags=re.DOTALL)
        return re.findall(r"\]\((?!http)([^)]+)\)", text)


def read(name: str) -> Readme:
    return Readme(name, (REPOSITORY / name).read_text(encoding="utf-8"))


MAIN = read("README.md")
READMES = [
    MAIN,
    *(
        read(path.relative_to(REPOSITORY).as_posix())
        for path in sorted(REPOSITORY.glob("[a-z]*/README.md"))
    ),
]
"""The main one, and those of the packages."""
