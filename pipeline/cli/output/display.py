"""Progress display of a run: a line for each step as it finishes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.spinner import Spinner
from rich.text import Text

from pipeline.cli.output.epoch_line import fitted
from pipeline.run.component_progress import Finished
from serving.progress import Progress

_SECONDS_BETWEEN_LINES = 15
_INDENT = 2


class Display:
    """Prints to a terminal, where it also shows what runs now, or to a log file."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[Progress]:
        """Shows a step with its progress (done, total) and, at its end, its time."""
        started = printed = time.monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal printed
            text = f"{name}: {done:,} of {total:,}"
            self._show(text)
            if (
                not self._console.is_terminal
                and time.monotonic() - printed > _SECONDS_BETWEEN_LINES
            ):
                printed = time.monotonic()
                self._console.print(f"  {text}")

        self._show(name)
        try:
            yield progress
        finally:
            self.stop()
        self._console.print(f"[green]✓[/] {name:<28}{_time(time.monotonic() - started)}")

    def started(self, component: str) -> None:
        """Shows that a component runs."""
        self._show(component)

    def finished(self, component: Finished) -> None:
        """Prints how a component ended."""
        self.stop()
        if component.cached:
            self._console.print(f"[green]✓[/] {component.name:<28}[dim]   cached[/]")
        else:
            self._console.print(
                f"[green]✓[/] {component.name:<28}{_time(component.seconds)}"
                f"{component.peak_memory / 1e9:8.1f} GB"
            )

    def ended(self, name: str, seconds: float) -> None:
        """Prints that something has ended well that ran beside other things."""
        self.stop()
        self._console.print(f"[green]✓[/] {name:<28}{_time(seconds)}")

    def line(self, text: str) -> None:
        """Prints a line of the step that runs: whole to a file, within the width of a terminal."""
        if not self._console.is_terminal:
            self._console.print(f"  [dim]{escape(text)}[/]", highlight=False, soft_wrap=True)
            return
        # A line that fills the last column leaves an empty one below it on some terminals.
        shown = fitted(text, self._console.width - _INDENT - 1)
        self._console.print(Padding(Text(shown, "dim"), (0, 0, 0, _INDENT)), highlight=False)

    def heading(self, text: str) -> None:
        """Prints a line before the first step; a terminal breaks it between words."""
        self._console.print(escape(text), highlight=False, soft_wrap=not self._console.is_terminal)

    def failed(self, component: str) -> None:
        """Prints that a component failed."""
        self.stop()
        self._console.print(f"[red]✗[/] {component}")

    def log(self, path: Path) -> None:
        """Prints where everything else is written to."""
        self._console.print(f"  [dim]log: {escape(str(path))}[/]", highlight=False, soft_wrap=True)

    def stop(self) -> None:
        """Shows nothing as running any more."""
        if self._live:
            self._live.stop()
            self._live = None

    def _show(self, text: str) -> None:
        if not self._console.is_terminal:
            return
        if self._live is None:
            # What others print is for the log: it is not to be drawn above the spinner.
            self._live = Live(
                console=self._console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(Spinner("dots", escape(text)))


def _time(seconds: float) -> str:
    return f"{seconds:7.1f} s"
