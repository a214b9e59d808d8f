"""Paths under a root."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Root:
    """The folder that holds a pipeline's data, outputs and history.

    Attributes:
        path: the folder, absolute.
    """

    path: Path

    @classmethod
    def at(cls, path: Path) -> "Root":
        """Makes a root of any path."""
        return cls(path.expanduser().resolve())

    @property
    def images(self) -> Path:
        """The embedded synthetic images."""
        return self.path / "images"

    @property
    def dataset(self) -> Path:
        """The images as sharded examples."""
        return self.path / "dataset"

    @property
    def former_datasets(self) -> Path:
        """The sets of examples that were used before."""
        return self.path / "datasets"

    @property
    def metadata(self) -> Path:
        """TFX's metadata store, an SQLite file."""
        return self.path / "metadata.sqlite"

    @property
    def artifacts(self) -> Path:
        """What the components make."""
        return self.path / "artifacts"

    def artifact(self, recorded: str) -> Path:
        """Where an artifact is now, though the root was moved since its path was recorded."""
        return self.artifacts.joinpath(*Path(recorded).parts[-3:])

    @property
    def checkpoints(self) -> Path:
        """The state of an unfinished training."""
        return self.path / "checkpoints"

    @property
    def pushed(self) -> Path:
        """The folder that a server watches, unless the configuration names another."""
        return self.path / "pushed"

    @property
    def temporary(self) -> Path:
        """Temporary files of the current run."""
        return self.path / "tmp"

    @property
    def tensorboard(self) -> Path:
        """The trainings' logs, by the id of the run; for `tensorboard --logdir`."""
        return self.path / "tensorboard"

    def log(self, run_id: str) -> Path:
        """The log file of a run."""
        return self.path / "logs" / f"{run_id}.log"

    def timeline(self, run_id: str) -> Path:
        """The drawing of a run's time."""
        return self.path / "timelines" / f"{run_id}.svg"

    def page(self, run_id: str) -> Path:
        """The page of a run."""
        return self.path / "reports" / f"{run_id}.html"

    def card(self, run_id: str) -> Path:
        """The model card of a run."""
        return self.path / "reports" / f"{run_id}.md"

    @property
    def runs(self) -> Path:
        """One JSON record a run."""
        return self.path / "runs"
