"""Trainer: TFX's, with the choices that a compiled pipeline leaves open as parameters."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from tfx import types
from tfx.components.trainer import executor as tfx_executor
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.proto import trainer_pb2
from tfx.types import artifact_utils, component_spec, standard_artifacts, standard_component_specs
from tfx.utils import json_utils

from components.artifacts import example_counts
from components.artifacts.local_copies import local_copies
from trainer_module.training_error import TrainingError
from transform_module.contract import EVAL, TRAIN
from transform_module.errors import UserError

TUNABLE: Final = ("epochs", "batch_size", "learning_rate")
"""The trainer's settings that are parameters of the component."""

_DATA: Final = "dataset_fingerprint"
_CUSTOM_CONFIG: Final = standard_component_specs.CUSTOM_CONFIG_KEY


class TrainerSpec(component_spec.ComponentSpec):
    """What goes in and out of a Trainer."""

    PARAMETERS = {  # noqa: RUF012
        "run_fn": component_spec.ExecutionParameter(type=str),
        "train_args": component_spec.ExecutionParameter(type=trainer_pb2.TrainArgs),
        "eval_args": component_spec.ExecutionParameter(type=trainer_pb2.EvalArgs),
        _CUSTOM_CONFIG: component_spec.ExecutionParameter(type=str),
        "epochs": component_spec.ExecutionParameter(type=int),
        "batch_size": component_spec.ExecutionParameter(type=int),
        "learning_rate": component_spec.ExecutionParameter(type=float),
        _DATA: component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "source": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "hyperparameters": component_spec.ChannelParameter(
            type=standard_artifacts.HyperParameters, optional=True
        ),
    }
    OUTPUTS = {  # noqa: RUF012
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
    }


def checked_data(
    input_dict: dict[str, list[types.Artifact]], exec_properties: dict[str, Any]
) -> tuple[dict[str, list[types.Artifact]], dict[str, Any]]:
    """Compares the examples with what the conversion wrote.

    Args:
        input_dict: a component's inputs, with ``examples`` and ``source``.
        exec_properties: its parameters, with ``dataset_fingerprint``: empty where the one of the
            dataset counts.

    Returns:
        The inputs that TFX's executor reads, and the parameters with the dataset's fingerprint.

    Raises:
        UserError: it is other data, part or double of it, or damaged.
    """
    source = artifact_utils.get_single_instance(input_dict["source"])
    examples = artifact_utils.get_single_instance(input_dict["examples"])
    fingerprint = example_counts.require_fingerprint(source, exec_properties[_DATA])
    example_counts.require_all(examples, (TRAIN, EVAL), source)
    others = {name: each for name, each in input_dict.items() if name != "source"}
    return others, {**exec_properties, _DATA: fingerprint}


def configured(exec_properties: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Puts parameters into the custom configuration, where ``run_fn`` and ``tuner_fn`` read them.

    Args:
        exec_properties: a component's parameters, with ``dataset_fingerprint``.
        names: of those that are settings of the trainer.
    """
    config = json_utils.loads(exec_properties[_CUSTOM_CONFIG])
    config["settings"] |= {name: exec_properties[name] for name in names}
    config[_DATA] = exec_properties[_DATA]
    return {**exec_properties, _CUSTOM_CONFIG: json_utils.dumps(config)}


@contextmanager
def reported() -> Iterator[None]:
    """Reports what a user can fix about a training as a user's error."""
    try:
        yield
    except TrainingError as error:
        raise UserError(str(error)) from error


class Executor(tfx_executor.GenericExecutor):
    """Puts the parameters where ``run_fn`` reads them, and calls it as TFX does."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains.

        Args:
            input_dict: ``examples``, ``transform_graph`` and ``source``, one artifact each, and,
                of a Tuner, ``hyperparameters``.
            output_dict: ``model`` and ``model_run``, one artifact each.
            exec_properties: as the component's parameters.

        Raises:
            UserError: the examples are not all that the conversion wrote, or the training cannot be
                done as it was configured, or diverged.
        """
        inputs, checked = checked_data(input_dict, exec_properties)
        properties = configured(checked, TUNABLE)
        with reported(), local_copies(outputs=(*output_dict["model"], *output_dict["model_run"])):
            super().Do(inputs, output_dict, properties)


class Trainer(base_component.BaseComponent):
    """Runs a ``run_fn`` that is given by its importable path.

    A class: its executor extends TFX's, and training as a job of Vertex AI takes another one.
    """

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        source: types.BaseChannel,
        run_fn: str,
        custom_config: dict[str, Any],
        epochs: int | RuntimeParameter,
        batch_size: int | RuntimeParameter,
        learning_rate: float | RuntimeParameter,
        dataset_fingerprint: str | RuntimeParameter,
        hyperparameters: types.BaseChannel | None = None,
        executor: type[base_executor.BaseExecutor] = Executor,
    ) -> None:
        """Constructs the component.

        Args:
            examples: transformed examples.
            transform_graph: that transformed them.
            source: the examples before Transform, which record how many there are.
            run_fn: path of the function.
            custom_config: what else it is given. Its ``settings`` lack those of `TUNABLE`.
            epochs: the most epochs.
            batch_size: images a step and replica.
            learning_rate: the optimizer's.
            dataset_fingerprint: of the data that the examples came from; empty does not compare.
            hyperparameters: what a Tuner found; it wins over the settings of that name.
            executor: trains, here or elsewhere.
        """
        super().__init__(
            spec=TrainerSpec(
                examples=examples,
                transform_graph=transform_graph,
                source=source,
                hyperparameters=hyperparameters,
                run_fn=run_fn,
                train_args=trainer_pb2.TrainArgs(splits=[TRAIN]),
                eval_args=trainer_pb2.EvalArgs(splits=[EVAL]),
                custom_config=json_utils.dumps(custom_config),
                epochs=epochs,
                batch_size=batch_size,
                learning_rate=learning_rate,
                dataset_fingerprint=dataset_fingerprint,
                model=types.Channel(type=standard_artifacts.Model),
                model_run=types.Channel(type=standard_artifacts.ModelRun),
            ),
            custom_executor_spec=executor_spec.ExecutorClassSpec(executor),
        )
