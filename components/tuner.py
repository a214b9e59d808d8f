"""Tuner: TFX's, with the choices that a compiled pipeline leaves open as parameters."""

from typing import Any, Final

from tfx import types
from tfx.components.tuner import executor as tfx_executor
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.proto import trainer_pb2
from tfx.types import component_spec, standard_artifacts, standard_component_specs
from tfx.utils import json_utils

from components.trainer import checked_data, configured, reported
from transform_module.contract import EVAL, TRAIN

TRIED_WITH: Final = ("batch_size", "learning_rate")
"""The trainer's settings that are parameters of the component; trials have epochs of their own."""

_DATA: Final = "dataset_fingerprint"
_CUSTOM_CONFIG: Final = standard_component_specs.CUSTOM_CONFIG_KEY


class TunerSpec(component_spec.ComponentSpec):
    """What goes in and out of a Tuner."""

    PARAMETERS = {  # noqa: RUF012
        "tuner_fn": component_spec.ExecutionParameter(type=str),
        "train_args": component_spec.ExecutionParameter(type=trainer_pb2.TrainArgs),
        "eval_args": component_spec.ExecutionParameter(type=trainer_pb2.EvalArgs),
        _CUSTOM_CONFIG: component_spec.ExecutionParameter(type=str),
        "batch_size": component_spec.ExecutionParameter(type=int),
        "learning_rate": component_spec.ExecutionParameter(type=float),
        _DATA: component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "source": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {  # noqa: RUF012
        "best_hyperparameters": component_spec.ChannelParameter(
            type=standard_artifacts.HyperParameters
        ),
        "tuner_results": component_spec.ChannelParameter(type=standard_artifacts.TunerResults),
    }


class Executor(tfx_executor.Executor):
    """Puts the parameters where ``tuner_fn`` reads them, and searches as TFX does."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches.

        Args:
            input_dict: ``examples``, ``transform_graph`` and ``source``, one artifact each.
            output_dict: ``best_hyperparameters`` and ``tuner_results``, one artifact each.
            exec_properties: as the component's parameters.

        Raises:
            UserError: the examples are not all that the conversion wrote, or no trial can be
                trained as it was configured.
        """
        inputs, checked = checked_data(input_dict, exec_properties)
        with reported():
            super().Do(inputs, output_dict, configured(checked, TRIED_WITH))


class Tuner(base_component.BaseComponent):
    """Runs a ``tuner_fn`` that is given by its importable path.

    A class: its executor extends TFX's.
    """

    SPEC_CLASS = TunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        source: types.BaseChannel,
        tuner_fn: str,
        custom_config: dict[str, Any],
        batch_size: int | RuntimeParameter,
        learning_rate: float | RuntimeParameter,
        dataset_fingerprint: str | RuntimeParameter,
    ) -> None:
        """Constructs the component.

        Args:
            examples: transformed examples.
            transform_graph: that transformed them.
            source: the examples before Transform, which record how many there are.
            tuner_fn: path of the function.
            custom_config: what else it is given. Its ``settings`` lack those of `TRIED_WITH`.
            batch_size: images a step and replica, where it is not searched for.
            learning_rate: the optimizer's, where it is not searched for.
            dataset_fingerprint: of the data that the examples came from.
        """
        super().__init__(
            spec=TunerSpec(
                examples=examples,
                transform_graph=transform_graph,
                source=source,
                tuner_fn=tuner_fn,
                train_args=trainer_pb2.TrainArgs(splits=[TRAIN]),
                eval_args=trainer_pb2.EvalArgs(splits=[EVAL]),
                custom_config=json_utils.dumps(custom_config),
                batch_size=batch_size,
                learning_rate=learning_rate,
                dataset_fingerprint=dataset_fingerprint,
                best_hyperparameters=types.Channel(type=standard_artifacts.HyperParameters),
                tuner_results=types.Channel(type=standard_artifacts.TunerResults),
            )
        )
