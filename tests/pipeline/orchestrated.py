"""True runs of a pipeline of cheap components, by each orchestrator."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from tfx.dsl.components.common.importer import Importer
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import InfraBlessing, Model, ModelBlessing

from components.baseline.component import Baseline
from components.pusher import Pusher
from pipeline.root import metadata
from pipeline.run.component_progress import ComponentProgress, Finished, watching
from pipeline.run.memory import PeakMemory
from pipeline.runners import runner
from serving.beam.beam_args import DEFAULT_BEAM_ARGS

CONFIGURATION = '{"epochs": 3}'
CODE = "{no JSON}"


@dataclass
class Place:
    """A root on which one orchestrator runs, and what was heard of its last run."""

    orchestrator: str
    folder: Path
    started: list[str] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    aborted: Finished | None = None

    @property
    def store(self) -> Path:
        return self.folder / "metadata" / "store.sqlite"

    def pipeline(self, version: str) -> Pipeline:
        """Looks for a pushed version, and would push it if its blessing did not say no."""
        push = {"push_dir": str(self.folder / "pushed"), "model_name": "cxr"}
        importer = Importer(source_uri=str(self.folder), artifact_type=ModelBlessing)
        infra_importer = Importer(source_uri=str(self.folder), artifact_type=InfraBlessing).with_id(
            "InfraImporter"
        )
        model_importer = Importer(source_uri=str(self.folder), artifact_type=Model).with_id(
            "ModelImporter"
        )
        trained = model_importer.outputs["result"]
        baseline = Baseline(trained=trained, **push, version=version)
        baseline.exec_properties["code"] = CODE
        pusher = Pusher(
            model=baseline.outputs["model"],
            model_blessing=importer.outputs["result"],
            infra_blessing=infra_importer.outputs["result"],
            **push,
            configuration=CONFIGURATION,
        )
        return Pipeline(
            pipeline_name="tiny",
            pipeline_root=str(self.folder / "artifacts"),
            components=[importer, infra_importer, model_importer, baseline, pusher],
            enable_cache=True,
            beam_pipeline_args=list(DEFAULT_BEAM_ARGS),
            metadata_connection_config=metadata.connection(self.store),
        )

    def run(self, run_id: str, *, version: str = "", uncached: Collection[str] = ()) -> None:
        self.started, self.finished = [], []
        with PeakMemory() as memory:
            progress = ComponentProgress(memory, self.started.append, self.finished.append)
            try:
                with watching(progress, print):
                    runner(self.orchestrator)(
                        self.pipeline(version), run_id=run_id, uncached=uncached
                    )
            finally:
                self.aborted = progress.aborted()

    def cached(self) -> dict[str, bool]:
        """Whether each component of the last run was taken from the cache."""
        return {each.name: each.cached for each in self.finished}
