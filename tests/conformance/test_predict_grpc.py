"""Predict over gRPC.

Sources: prediction_service.proto, predict.proto, model.proto and tensor.proto; predict_impl.cc,
predict_util.cc, server_core.cc and basic_manager.cc for codes and messages.
"""

import struct

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import model_pb2, predict_pb2

from tests.conformance.clients import TIMEOUT, refused, strings
from tests.conformance.images import BROKEN, WHOLE, shade
from tests.conformance.models import LABEL, MATRIX, TOTAL, TYPED, UNEVEN, identity
from transform_module import contract

SERVICES = ("tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")
INVALID = grpc.StatusCode.INVALID_ARGUMENT
GREY = strings([WHOLE["grey"]])
OUTPUTS = {
    contract.PROBABILITY: tf.float32,
    contract.PREDICTED_LABEL: tf.string,
    contract.VALID: tf.bool,
    contract.IN_DOMAIN: tf.bool,
    contract.DOMAIN_DISTANCE: tf.float32,
    contract.TRIAGE: tf.string,
}


def images(rpc, tensor: tensor_pb2.TensorProto = GREY) -> predict_pb2.PredictRequest:
    return rpc.request({contract.IMAGE_BYTES: tensor})


class TestResponse:
    def test_outputs(self, rpc):
        # predict.proto: "Output tensors."; tensor.proto: dtype and tensor_shape
        response = rpc.predict_images([WHOLE["grey"], BROKEN["text"]])
        assert set(response.outputs) == set(OUTPUTS)
        for name, dtype in OUTPUTS.items():
            assert response.outputs[name].dtype == dtype.as_datatype_enum
            assert [dim.size for dim in response.outputs[name].tensor_shape.dim] == [2]

    def test_values_are_fields(self, rpc):
        # predict_util.cc: outputs are written kAsProtoField, so clients read the *_val fields.
        outputs = rpc.predict_images([WHOLE["grey"], BROKEN["text"]]).outputs
        assert not any(tensor.tensor_content for tensor in outputs.values())
        assert list(outputs[contract.VALID].bool_val) == [True, False]
        assert outputs[contract.PREDICTED_LABEL].string_val[1] == contract.INVALID.encode()
        assert outputs[contract.PROBABILITY].float_val[1] == 0.5

    def test_model_spec(self, rpc, version):
        # predict.proto: "Effective Model Specification used to process PredictRequest."
        spec = rpc.predict(images(rpc)).model_spec
        assert (spec.name, spec.version.value) == (rpc.model, version)
        assert spec.signature_name == "serving_default"

    def test_named_signature(self, rpc):
        # model.proto: "A named signature to evaluate. If unspecified, the default signature will
        # be used."
        example = tf.train.Example()
        example.features.feature[contract.IMAGE].bytes_list.value.append(WHOLE["grey"])
        tensor = strings([example.SerializeToString()])
        response = rpc.predict(rpc.request({contract.EXAMPLES: tensor}, contract.SERVE_EXAMPLES))
        assert response.model_spec.signature_name == contract.SERVE_EXAMPLES
        direct = rpc.predict(images(rpc))
        np.testing.assert_allclose(
            response.outputs[contract.PROBABILITY].float_val,
            direct.outputs[contract.PROBABILITY].float_val,
            rtol=1e-5,
        )

    def test_empty_batch(self, rpc):
        # No rule against it: the graph gets a tensor of shape [0], and may refuse it.
        call = rpc.prediction.Predict.future(images(rpc, strings([])), timeout=TIMEOUT)
        assert call.code() in (grpc.StatusCode.OK, INVALID)
        if call.code() is INVALID:
            assert call.details()
        else:
            shapes = [call.result().outputs[name].tensor_shape for name in OUTPUTS]
            assert [[dim.size for dim in shape.dim] for shape in shapes] == [[0]] * len(OUTPUTS)


class TestOutputFilter:
    """predict.proto: "output_filter ... names specified are expected to be in the outputs"."""

    @pytest.mark.parametrize("names", [["label"], ["valid", "probability"], list(OUTPUTS)])
    def test_some(self, rpc, names):
        request = images(rpc)
        request.output_filter.extend(names)
        assert set(rpc.predict(request).outputs) == set(names)

    def test_unknown(self, rpc):
        request = images(rpc)
        request.output_filter.append("nope")
        refused(rpc.prediction.Predict, request, INVALID)

    def test_twice(self, rpc):
        request = images(rpc)
        request.output_filter.extend(["label", "label"])
        refused(rpc.prediction.Predict, request, INVALID)


class TestModelSpec:
    """model.proto, and server_core.cc, ServableRequestFromModelSpec."""

    def test_version(self, rpc, version):
        # model.proto: "Use this specific version number."
        request = images(rpc)
        request.model_spec.version.value = version
        assert rpc.predict(request).model_spec.version.value == version

    @pytest.mark.parametrize("unknown", [0, -1, 999_999_999])
    def test_unknown_version(self, rpc, unknown):
        request = images(rpc)
        request.model_spec.version.value = unknown
        refused(rpc.prediction.Predict, request, grpc.StatusCode.NOT_FOUND)

    @pytest.mark.embedded("needs a label")
    def test_label(self, rpc, version):
        request = images(rpc)
        request.model_spec.version_label = LABEL
        assert rpc.predict(request).model_spec.version.value == version

    def test_unknown_label(self, rpc):
        # model.proto: "Use the version associated with the given label."
        request = images(rpc)
        request.model_spec.version_label = "nope"
        refused(rpc.prediction.Predict, request, INVALID)

    @pytest.mark.parametrize("name", ["nope", "Chest_Xray", " "])
    def test_unknown_model(self, rpc, name):
        request = images(rpc)
        request.model_spec.name = name
        refused(rpc.prediction.Predict, request, grpc.StatusCode.NOT_FOUND)

    def test_no_name(self, rpc):
        # server_core.cc: InvalidArgument("ModelSpec has no name specified.")
        request = images(rpc)
        request.model_spec.CopyFrom(model_pb2.ModelSpec(signature_name="serving_default"))
        refused(rpc.prediction.Predict, request, INVALID)

    def test_no_spec(self, rpc):
        # predict_impl.cc: InvalidArgument("Missing ModelSpec")
        request = images(rpc)
        request.ClearField("model_spec")
        refused(rpc.prediction.Predict, request, INVALID)

    def test_unknown_signature(self, rpc):
        # predict_util.cc: a FailedPrecondition, where REST has an InvalidArgument
        request = images(rpc)
        request.model_spec.signature_name = "nope"
        code = grpc.StatusCode.FAILED_PRECONDITION
        refused(rpc.prediction.Predict, request, code)


class TestInputs:
    """predict_util.cc, PreProcessPrediction."""

    def test_missing(self, rpc):
        request = rpc.request({})
        refused(rpc.prediction.Predict, request, INVALID)

    def test_extra(self, rpc):
        request = rpc.request({contract.IMAGE_BYTES: GREY, "more": GREY})
        refused(rpc.prediction.Predict, request, INVALID)

    def test_other_name(self, rpc):
        # predict_util.cc: as many inputs, but "input tensor alias not found in signature"
        request = rpc.request({"image": GREY})
        refused(rpc.prediction.Predict, request, INVALID)

    @pytest.mark.parametrize("value", [[1.5], [1], [True]], ids=["float", "int", "bool"])
    def test_wrong_type(self, rpc, value):
        # The graph's placeholder refuses it.
        tensor = tf.make_tensor_proto(value)
        refused(rpc.prediction.Predict, images(rpc, tensor), INVALID)

    @pytest.mark.parametrize("shape", [(), (1, 1)], ids=["scalar", "matrix"])
    def test_wrong_rank(self, rpc, shape):
        # The server checks no shape (tensorflow/serving issue 1527); the graph refuses it.
        tensor = tf.make_tensor_proto(np.full(shape, WHOLE["grey"], object), tf.string)
        refused(rpc.prediction.Predict, images(rpc, tensor), INVALID)

    def test_empty_tensor(self, rpc):
        # predict_util.cc: "tensor parsing error: " and the input's name
        request = images(rpc, tensor_pb2.TensorProto())
        refused(rpc.prediction.Predict, request, INVALID)

    def test_negative_size(self, rpc):
        tensor = tensor_pb2.TensorProto()
        tensor.CopyFrom(GREY)
        tensor.tensor_shape.dim[0].size = -1
        refused(rpc.prediction.Predict, images(rpc, tensor), INVALID)

    def test_unknown_rank(self, rpc):
        tensor = tensor_pb2.TensorProto(dtype=tf.string.as_datatype_enum, string_val=[b"x"])
        tensor.tensor_shape.unknown_rank = True
        # tensor_shape.cc, IsValid: parsed as a scalar, for compatibility; the graph refuses it.
        refused(rpc.prediction.Predict, images(rpc, tensor), INVALID)

    def test_last_value_is_repeated(self, rpc):
        # tensor.proto: fewer values than elements; tensor.cc fills up with the last one.
        tensor = tensor_pb2.TensorProto()
        tensor.CopyFrom(GREY)
        tensor.tensor_shape.dim[0].size = 3
        outputs = rpc.predict(images(rpc, tensor)).outputs
        assert list(outputs[contract.VALID].bool_val) == [True] * 3

    def test_strings_as_content(self, rpc):
        # tensor.proto, tensor_content; of strings it is their lengths, then their bytes.
        values = [b"ab", b"cde"]
        tensor = tensor_pb2.TensorProto(dtype=tf.string.as_datatype_enum)
        tensor.tensor_shape.dim.add(size=2)
        tensor.tensor_content = bytes(map(len, values)) + b"".join(values)
        outputs = rpc.predict(images(rpc, tensor)).outputs
        assert list(outputs[contract.VALID].bool_val) == [False, False]


VALUES = {
    "float32": [1.5, -2.0, float("inf")],
    "float64": [1e300, -0.1],
    "int32": [2**31 - 1, -7],
    "int64": [2**63 - 1, -(2**63)],
    "uint8": [0, 255],
    "bool": [True, False, True],
}


class TestEncodings:
    """tensor.proto: values stand in the field of their type, or all in tensor_content."""

    @pytest.mark.parametrize(
        "type_name",
        [pytest.param(name, marks=pytest.mark.signature(identity(name))) for name in VALUES],
    )
    @pytest.mark.parametrize("encoding", ["content", "fields"])
    def test_values_come_back(self, rpc, type_name, encoding):
        array = np.array(VALUES[type_name], type_name)
        if encoding == "content":
            dtype = tf.dtypes.as_dtype(type_name).as_datatype_enum
            tensor = tensor_pb2.TensorProto(dtype=dtype, tensor_content=array.tobytes())
            tensor.tensor_shape.dim.add(size=len(array))
        else:
            tensor = self.fields(array)
            assert not tensor.tensor_content
        response = rpc.predict(rpc.request({"x": tensor}, identity(type_name))).outputs["y"]
        assert response.dtype == tensor.dtype
        np.testing.assert_array_equal(tf.make_ndarray(response), array)

    def fields(self, array: np.ndarray) -> tensor_pb2.TensorProto:
        field = {
            "float32": "float_val",
            "float64": "double_val",
            "int32": "int_val",
            "int64": "int64_val",
            "uint8": "int_val",
            "bool": "bool_val",
        }[array.dtype.name]
        dtype = tf.dtypes.as_dtype(array.dtype).as_datatype_enum
        tensor = tensor_pb2.TensorProto(dtype=dtype, **{field: array.tolist()})
        tensor.tensor_shape.dim.add(size=len(array))
        return tensor

    @pytest.mark.signature(identity("string"))
    def test_bytes_that_are_not_text(self, rpc):
        values = [b"", b"\0\xff", "漢".encode()]
        response = rpc.predict(rpc.request({"x": strings(values)}, identity("string")))
        assert list(response.outputs["y"].string_val) == values

    @pytest.mark.signature(identity("float32"))
    def test_content_of_a_wrong_size(self, rpc):
        tensor = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum)
        tensor.tensor_shape.dim.add(size=2)
        tensor.tensor_content = struct.pack("<f", 1.5)
        request = rpc.request({"x": tensor}, identity("float32"))
        refused(rpc.prediction.Predict, request, INVALID)

    @pytest.mark.signature(MATRIX)
    @pytest.mark.parametrize("shape", [(2, 3), (1, 1), (3, 0)])
    def test_shape(self, rpc, shape):
        array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        response = rpc.predict(rpc.request({"x": tf.make_tensor_proto(array)}, MATRIX)).outputs["y"]
        assert tuple(dim.size for dim in response.tensor_shape.dim) == shape
        np.testing.assert_array_equal(tf.make_ndarray(response), array)

    @pytest.mark.signature(TYPED)
    def test_several_inputs(self, rpc):
        inputs = {
            "integer": tf.make_tensor_proto([3], tf.int32),
            "number": tf.make_tensor_proto([0.5], tf.float32),
            "flag": tf.make_tensor_proto([True]),
            "text": strings([b"one"]),
        }
        outputs = rpc.predict(rpc.request(inputs, TYPED)).outputs
        assert set(outputs) == {*inputs, "text_bytes"}
        assert list(outputs["integer"].int_val) == [3]
        assert list(outputs["text_bytes"].string_val) == [b"one"]

    @pytest.mark.signature(TYPED)
    def test_several_are_missing(self, rpc):
        # predict_util.cc names what is too much and what lacks, in order.
        request = rpc.request({"number": tf.make_tensor_proto([0.5])}, TYPED)
        refused(rpc.prediction.Predict, request, INVALID)

    @pytest.mark.signature(UNEVEN)
    def test_inputs_of_different_length(self, rpc):
        inputs = {
            "left": tf.make_tensor_proto([1.0, 2.0]),
            "right": tf.make_tensor_proto([3.0, 4.0, 5.0]),
        }
        outputs = rpc.predict(rpc.request(inputs, UNEVEN)).outputs
        assert list(outputs["left"].float_val) == [1.0, 2.0]
        assert list(outputs["right"].float_val) == [3.0, 4.0, 5.0]

    @pytest.mark.signature(TOTAL)
    def test_scalar_output(self, rpc):
        tensor = tf.make_tensor_proto([1.0, 2.0, 3.0])
        response = rpc.predict(rpc.request({"x": tensor}, TOTAL)).outputs["sum"]
        assert not response.tensor_shape.dim
        assert tf.make_ndarray(response) == 6.0


class TestCall:
    def test_deadline_that_is_over(self, rpc):
        # gRPC, "Deadlines": the call fails with DEADLINE_EXCEEDED, and the server goes on.
        large = strings([shade(100, side=3000)] * 16)  # small files that take long to decode
        with pytest.raises(grpc.RpcError) as caught:
            rpc.prediction.Predict(images(rpc, large), timeout=0.001)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert rpc.predict(images(rpc)).outputs

    def test_unknown_method(self, rpc):
        # gRPC, "Status codes": a method that is not there is UNIMPLEMENTED.
        call = rpc.channel.unary_unary(
            "/tensorflow.serving.PredictionService/Nope",
            request_serializer=predict_pb2.PredictRequest.SerializeToString,
        )
        with pytest.raises(grpc.RpcError) as caught:
            call(images(rpc), timeout=TIMEOUT)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED

    @pytest.mark.embedded("TensorFlow Serving takes these")
    @pytest.mark.parametrize(
        "method",
        [
            "PredictionService/Classify",
            "PredictionService/Regress",
            "PredictionService/MultiInference",
            "ModelService/HandleReloadConfigRequest",
        ],
    )
    def test_method_that_is_absent(self, rpc, method):
        call = rpc.channel.unary_unary(f"/tensorflow.serving.{method}")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"", timeout=TIMEOUT)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert "serving/README.md" in caught.value.details()

    @pytest.mark.parametrize("message", [b"\xff", b"\x0a\xff", b"\x12\x03\x0a\x01x"], ids=repr)
    @pytest.mark.parametrize(
        "method",
        [
            "PredictionService/Predict",
            "PredictionService/GetModelMetadata",
            "ModelService/GetModelStatus",
        ],
    )
    def test_message_that_cannot_be_read(self, rpc, method, message):
        call = rpc.channel.unary_unary(f"/tensorflow.serving.{method}")
        with pytest.raises(grpc.RpcError) as caught:
            call(message, timeout=TIMEOUT)
        assert caught.value.code() in (INVALID, grpc.StatusCode.INTERNAL)

    def test_many_at_once(self, rpc):
        # Every call gets the response to its own images.
        contents = [WHOLE["black"], WHOLE["white"], BROKEN["text"], WHOLE["grey"]] * 8
        alone = {
            content: rpc.predict_images([content]).outputs[contract.PROBABILITY].float_val[0]
            for content in set(contents)
        }
        calls = [
            rpc.prediction.Predict.future(images(rpc, strings([content])), timeout=TIMEOUT)
            for content in contents
        ]
        responses = [call.result().outputs[contract.PROBABILITY].float_val[0] for call in calls]
        assert responses == pytest.approx([alone[content] for content in contents], rel=1e-4)


class TestReflection:
    """grpc.reflection.v1alpha, reflection.proto: what `grpcurl` queries before it calls."""

    pytestmark = pytest.mark.embedded("TensorFlow Serving has it in some versions only")

    def queried(self, rpc, **request):
        stub = reflection_pb2_grpc.ServerReflectionStub(rpc.channel)
        message = reflection_pb2.ServerReflectionRequest(**request)
        (response,) = stub.ServerReflectionInfo(iter([message]), timeout=TIMEOUT)
        return response

    def test_services(self, rpc):
        response = self.queried(rpc, list_services="")
        assert {each.name for each in response.list_services_response.service} == {
            *SERVICES,
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
        }

    @pytest.mark.parametrize("service", SERVICES)
    def test_a_message_is_made_from_the_descriptors_alone(self, rpc, service):
        response = self.queried(rpc, file_containing_symbol=service)
        pool = descriptor_pool.DescriptorPool()
        files = {
            file.name: file
            for file in map(
                descriptor_pb2.FileDescriptorProto.FromString,
                response.file_descriptor_response.file_descriptor_proto,
            )
        }

        def add(file):
            for name in file.dependency:
                if name in files:
                    add(files.pop(name))
            pool.Add(file)

        while files:
            add(files.pop(next(iter(files))))
        method = pool.FindServiceByName(service).methods[0]
        assert message_factory.GetMessageClass(method.input_type)() is not None


@pytest.mark.embedded("TensorFlow Serving has no health service in every version")
class TestHealth:
    """grpc.health.v1, health.proto, as bytes: there are no stubs for it here."""

    def check(self, rpc, service: str) -> bytes:
        call = rpc.channel.unary_unary("/grpc.health.v1.Health/Check")
        name = service.encode()
        request = bytes([0x0A, len(name)]) + name if name else b""
        return call(request, timeout=TIMEOUT)

    def test_server(self, rpc):
        # health.proto: an empty service is the server as a whole; SERVING is 1.
        assert self.check(rpc, "") == b"\x08\x01"

    def test_unknown_service(self, rpc):
        # health.proto: "If the service name is not registered, the server returns a NOT_FOUND"
        with pytest.raises(grpc.RpcError) as caught:
            self.check(rpc, "nope")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
