"""The check before the push by TensorFlow Serving's own container, through TFX's InfraValidator."""

from tfx import types
from tfx.components.infra_validator.component import InfraValidator
from tfx.proto import infra_validator_pb2

from serving.tensorflow_serving.containers import find_engine
from serving.tensorflow_serving.settings import VERSION
from transform_module import contract
from transform_module.errors import UserError

_EXAMPLES = 32


def container_check(model: types.BaseChannel, examples: types.BaseChannel) -> InfraValidator:
    """Makes the component. It gives no reasons, and compares nothing: the model must respond.

    Args:
        model: the model to check.
        examples: examples with the split ``test``, as they are before Transform.
    """
    return InfraValidator(
        model=model,
        examples=examples,
        serving_spec=infra_validator_pb2.ServingSpec(
            tensorflow_serving=infra_validator_pb2.TensorFlowServing(tags=[VERSION]),
            local_docker=infra_validator_pb2.LocalDockerConfig(),
        ),
        request_spec=infra_validator_pb2.RequestSpec(
            tensorflow_serving=infra_validator_pb2.TensorFlowServingRequestSpec(
                signature_names=[contract.SERVE_EXAMPLES]
            ),
            split_name=contract.TEST,
            num_examples=_EXAMPLES,
        ),
    ).with_id("ServingCheck")


def require_docker() -> None:
    """Checks, before hours of training, that the container can be run.

    Raises:
        UserError: it cannot.
    """
    if find_engine() != "docker":
        raise UserError(
            "serving_check.engine is tensorflow-serving, which needs Docker, and none runs here. "
            "Start it, or choose serving_check.engine=embedded."
        )
