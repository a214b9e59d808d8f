"""A run in a cluster, whichever it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

State = Literal["pending", "running", "succeeded", "failed", "cancelled"]

OVER: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})
"""States that do not change any more."""


@dataclass(frozen=True)
class Submission:
    """A run that a cluster is to start.

    Attributes:
        file: the compiled file.
        name: of the run.
        parameters: values that replace the file's.
        root: where the outputs go; the file's if None.
        cache: False computes every task anew; None leaves it as the file has it.
        service_account: what the run may do; the cluster's default if None.
        experiment: what it is listed under.
        labels: of the run, where the cluster has labels.
        network: that the run is peered with, where the cluster has that.
    """

    file: str
    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    root: str | None = None
    cache: bool | None = None
    service_account: str | None = None
    experiment: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str | None = None


@dataclass(frozen=True)
class Submitted:
    """A run or a schedule that the cluster has taken.

    Attributes:
        id: its name there.
        link: its page.
    """

    id: str
    link: str


@dataclass(frozen=True)
class Progress:
    """State of a run.

    Attributes:
        state: of the whole.
        tasks: states by task, as the cluster names them.
        error: why it failed, if known.
    """

    state: State
    tasks: Mapping[str, str]
    error: str = ""


class Cluster(Protocol):
    """What runs pipelines."""

    def submit(self, submission: Submission) -> Submitted:
        """Starts a run.

        Raises:
            UserError: the cluster does not take it; the message says why and what to do.
        """

    def schedule(self, submission: Submission, cron: str) -> Submitted:
        """Starts a run at each time of a cron expression.

        Raises:
            UserError: as `submit`.
        """

    def progress(self, run: str) -> Progress:
        """Returns the state of a run.

        Raises:
            UserError: it cannot be read, after some tries.
        """
