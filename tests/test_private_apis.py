"""What other packages call private, and may change with any release: each is used in one place.

A failure here names the place that a new version breaks, before a training or an export does.
"""

import importlib
import importlib.metadata

import pytest

USED = [
    (
        "tensorflow",
        "tensorflow.lite.python.convert",
        "mlir_quantize",
        "serving/tflite/conversion.py: cxr export --tflite writes no int8 file",
    ),
    (
        "tensorflow",
        "tensorflow.lite.python.lite",
        "TFLiteConverterV2._experimental_calibrate_only",
        "serving/tflite/conversion.py: cxr export --tflite writes no int8 file",
    ),
    (
        "ai-edge-litert",
        "ai_edge_litert.schema_py_generated",
        "ModelT.InitFromPackedBuf",
        "serving/tflite/head.py: the sigmoid of an int8 file has 256 steps",
    ),
    (
        "keras",
        "keras.optimizers",
        "Adam._get_variable_index",
        "trainer_module/models/layers.py: no model can be trained",
    ),
    (
        "keras",
        "keras.optimizers",
        "Adam._momentums",
        "trainer_module/models/layers.py: no model can be trained",
    ),
    (
        "keras",
        "keras.optimizers",
        "Adam._velocities",
        "trainer_module/models/layers.py: no model can be trained",
    ),
    (
        "keras-tuner",
        "keras_tuner.engine.trial",
        "TrialStatus.COMPLETED",
        "trainer_module/search/tuner_fn.py: a search does not know which trials failed",
    ),
    (
        "tensorflow",
        "tensorflow",
        "distribute.StrategyExtended.update",
        "trainer_module/training/steps.py: trainer.ema_momentum has no effect on several replicas",
    ),
]


def instance(holder, name):
    """An object whose attributes are set as it is made, where the class alone has none."""
    if name == "Adam":
        made = holder()
        variable = importlib.import_module("keras").Variable([0.0])
        made.build([variable])
        return made
    if name == "TFLiteConverterV2":
        return holder([], None)
    return holder


@pytest.mark.parametrize(("distribution", "module", "path", "breaks"), USED)
def test_it_is_still_there(distribution, module, path, breaks):
    version = importlib.metadata.version(distribution)
    found = importlib.import_module(module)
    for name in path.split("."):
        assert hasattr(found, name), (
            f"{distribution} {version} has no {module}.{path} any more, on which depends {breaks}."
        )
        found = instance(getattr(found, name), name)
