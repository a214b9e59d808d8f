"""The pipeline: the only place where components are wired."""

from dataclasses import dataclass
from typing import Any

from tfx.components.schema_gen.component import SchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.transform.component import Transform
from tfx.dsl.components.base import base_executor
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import example_gen_pb2, transform_pb2
from tfx.types import BaseChannel

from components.baseline.component import Baseline
from components.code_version import code_version
from components.evaluator.component import Evaluator
from components.example_validator import ExampleValidator
from components.google_cloud.settings import GoogleCloudSettings
from components.import_example_gen import ImportExampleGen
from components.pusher import Pusher
from components.report import Report
from components.serving_check.component import ServingCheck
from components.serving_check.container_check import container_check
from components.statistics_gen import statistics_options
from components.trainer import TUNABLE, Trainer
from components.trainer import Executor as TrainerExecutor
from components.tuner import TRIED_WITH, Tuner
from pipeline.component_ids import PUSHER
from pipeline.config.config import Config
from pipeline.training_code import SEARCH, TRAINING, own_modules, training_version
from serving.beam.beam_args import DEFAULT_BEAM_ARGS, SDK_HERE
from trainer_module.settings.search import AFTER_SEARCH
from transform_module.contract import EVAL, SPLITS, TRAIN

PREPROCESSING = "transform_module.preprocessing"
UNCACHED = (PUSHER,)
"""Nodes that run in every run: their effect lies outside of the root, where no cache looks."""


@dataclass(frozen=True)
class Inputs:
    """What a run hands to the pipeline beside the configuration.

    What may be a RuntimeParameter is chosen only when a compiled pipeline is submitted.

    Attributes:
        examples: folder of the sharded examples, one folder a split inside.
        fingerprint: of these examples.
        images: folder that they were made from.
        quarantine: list of the files in it that are not readable images.
        artifacts: folder for what the components make.
        checkpoints: folder for the state of an unfinished training.
        push_dir: folder that a server watches.
        baseline_version: the pushed version to compare with, `baseline.LATEST`, or an empty text.
        epochs: of the training, as the configuration's.
        batch_size: of the training, as the configuration's.
        learning_rate: of the training, as the configuration's.
        beam_args: what each of Beam's steps is started with; empty where a task gets them itself.
        google_cloud: the services of Google Cloud that are used; None uses none.
        profile: whether the training is profiled.
        synthetic: whether the images are the embedded ones.
        page: whether Report renders page and card: where nothing of ours follows the components.
    """

    examples: str | RuntimeParameter
    fingerprint: str | RuntimeParameter
    images: str
    quarantine: str
    artifacts: str
    checkpoints: str
    push_dir: str | RuntimeParameter
    baseline_version: str
    epochs: int | RuntimeParameter
    batch_size: int | RuntimeParameter
    learning_rate: float | RuntimeParameter
    beam_args: tuple[str, ...]
    google_cloud: GoogleCloudSettings | None = None
    profile: bool = False
    synthetic: bool = False
    page: bool = False


def tunable(config: Config) -> dict[str, Any]:
    """Returns the configuration's own values of the trainer's parameters."""
    return {name: getattr(config.trainer, name) for name in TUNABLE}


def beam_args(config: Config) -> tuple[str, ...]:
    """Returns what Beam is started with where nothing else computes for it."""
    own = config.beam.options
    elsewhere = any(arg.startswith("--runner") for arg in config.beam.args)
    sdk = () if elsewhere else (SDK_HERE,)
    return (*DEFAULT_BEAM_ARGS, *sdk, *own)


def create_pipeline(config: Config, inputs: Inputs, metadata: Any = None) -> Pipeline:
    """Wires the components.

    Args:
        config: what was chosen.
        inputs: where things are, and what the data is.
        metadata: connection to the metadata store, for the orchestrators that need one.

    Returns:
        The pipeline, for any orchestrator.
    """
    example_gen = ImportExampleGen(
        input_base=inputs.examples,
        input_config=example_gen_pb2.Input(
            splits=[
                example_gen_pb2.Input.Split(name=split, pattern=f"{split}/*") for split in SPLITS
            ]
        ),
    )
    statistics_gen = StatisticsGen(
        examples=example_gen.outputs["examples"], stats_options=statistics_options()
    )
    schema_gen = SchemaGen(statistics=statistics_gen.outputs["statistics"])
    example_validator = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"],
        schema=schema_gen.outputs["schema"],
    )
    transform = Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        preprocessing_fn=f"{PREPROCESSING}.preprocessing_fn",
        # The Evaluator reads the raw examples of the test split.
        splits_config=transform_pb2.SplitsConfig(analyze=[TRAIN], transform=[TRAIN, EVAL]),
        disable_statistics=True,
        custom_config={
            "settings": config.transform.model_dump(mode="json"),
            "code_version": code_version(PREPROCESSING, *own_modules(config)),
        },
    )
    transform.add_upstream_node(example_validator)
    transformed = {
        "examples": transform.outputs["transformed_examples"],
        "transform_graph": transform.outputs["transform_graph"],
        "source": example_gen.outputs["examples"],
    }
    tuner = _tuner(config, inputs, transformed) if config.tuner.enabled else None
    trainer_executor, trainer_job = _trained_by(config, inputs)
    trainer = Trainer(
        **transformed,
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        run_fn=f"{TRAINING}.run_fn",
        custom_config={
            "settings": config.trainer.model_dump(mode="json", exclude=set(TUNABLE)),
            "transform": config.transform.model_dump(mode="json"),
            "seed": config.seed,
            "code_version": training_version(config),
            "checkpoint_dir": inputs.checkpoints,
            # Absent they change no cache key: a training without them stays what it was.
            **({"profile": True} if inputs.profile else {}),
            **({"tuner": config.tuner.model_dump(mode="json")} if tuner else {}),
            **trainer_job,
        },
        epochs=inputs.epochs,
        batch_size=inputs.batch_size,
        learning_rate=inputs.learning_rate,
        dataset_fingerprint=inputs.fingerprint,
        executor=trainer_executor,
    )
    baseline = Baseline(
        trained=trainer.outputs["model"],
        push_dir=inputs.push_dir,
        model_name=config.push.model_name,
        version=inputs.baseline_version,
    )
    evaluator = Evaluator(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        settings=config.evaluation.model_dump_json(),
    )
    served = {"model": trainer.outputs["model"], "examples": example_gen.outputs["examples"]}
    serving_check = (
        container_check(**served)
        if config.serving_check.engine == "tensorflow-serving"
        else ServingCheck(
            **served,
            evaluation=evaluator.outputs["evaluation"],
            settings=config.serving_check.model_dump_json(),
            model_name=config.push.model_name,
            images=inputs.images,
            quarantine=inputs.quarantine,
        )
    )
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        push_dir=inputs.push_dir,
        model_name=config.push.model_name,
        configuration=config.model_dump_json(),
    )
    report = Report(
        **served,
        model_run=trainer.outputs["model_run"],
        evaluation=evaluator.outputs["evaluation"],
        infra_blessing=serving_check.outputs["blessing"],
        settings=config.report.model_dump_json(),
        model_name=config.push.model_name,
        dataset=inputs.examples,
        source=config.report.dataset or ("synthetic" if inputs.synthetic else ""),
        page=int(inputs.page),
    )
    # Whatever becomes of the report, the model is where it belongs.
    report.add_upstream_node(pusher)
    components = [
        example_gen,
        statistics_gen,
        schema_gen,
        example_validator,
        transform,
        *([tuner] if tuner else []),
        trainer,
        baseline,
        evaluator,
        serving_check,
        pusher,
        report,
    ]
    if inputs.google_cloud and inputs.google_cloud.endpoint:
        from components.google_cloud.endpoint import Endpoint

        endpoint = Endpoint(
            pushed_model=pusher.outputs["pushed_model"],
            google_cloud=inputs.google_cloud.model_dump_json(),
            model_name=config.push.model_name,
        )
        components.append(endpoint)
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=inputs.artifacts,
        components=components,
        enable_cache=True,
        beam_pipeline_args=list(inputs.beam_args),
        metadata_connection_config=metadata,
    )


def _tuner(config: Config, inputs: Inputs, transformed: dict[str, BaseChannel]) -> Tuner:
    """Builds the Tuner; settings that cannot affect a score are left out, to keep it cached."""
    untold = {*TUNABLE, *AFTER_SEARCH}
    return Tuner(
        **transformed,
        tuner_fn=f"{SEARCH}.tuner_fn",
        custom_config={
            "settings": config.trainer.model_dump(mode="json", exclude=untold),
            "tuner": config.tuner.model_dump(mode="json"),
            "seed": config.seed,
            "code_version": training_version(config),
            "checkpoint_dir": inputs.checkpoints,
        },
        dataset_fingerprint=inputs.fingerprint,
        **{name: getattr(inputs, name) for name in TRIED_WITH},
    )


def _trained_by(
    config: Config, inputs: Inputs
) -> tuple[type[base_executor.BaseExecutor], dict[str, Any]]:
    """Returns the Trainer's executor, in its own task or as a job, and its parameters."""
    if inputs.google_cloud is None or inputs.google_cloud.trainer_job is None:
        return TrainerExecutor, {}
    # Google's client takes seconds to import.
    from components.google_cloud import trainer_job

    image = config.cluster.image or ""
    return trainer_job.Executor, trainer_job.custom_config(inputs.google_cloud, config.name, image)
