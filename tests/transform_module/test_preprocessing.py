from functools import partial

import tensorflow as tf
from tensorflow_transform import analyzer_nodes, impl_helper

from transform_module import contract
from transform_module.preprocessing import preprocessing_fn


def test_no_analyzer_makes_transform_decode_each_image_twice():
    inputs = {
        contract.IMAGE: tf.TensorSpec([None, 1], tf.string),
        contract.LABEL: tf.TensorSpec([None, 1], tf.int64),
        contract.PATIENT_ID: tf.TensorSpec([None, 1], tf.string),
    }
    graph, _, outputs = impl_helper.trace_preprocessing_function(
        partial(preprocessing_fn, custom_config={"settings": {}}), inputs, use_tf_compat_v1=False
    )
    assert set(outputs) == {contract.IMAGE_XF, contract.LABEL_XF, contract.PATIENT_XF}
    assert not graph.get_collection(analyzer_nodes.TENSOR_REPLACEMENTS)
