"""State files as PyTorch wrote them before 1.6, written here by pickle's own protocol."""

import io
import pickle
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.models import WeightsError
from trainer_module.networks.backbones import torch_weights


class Reference:
    """Stands for a storage while it is pickled."""

    def __init__(self, key, values):
        self.key, self.values = key, values


class Tensor:
    """Pickles itself as PyTorch's tensors do."""

    def __init__(self, storage, offset, shape, strides):
        self.arguments = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


@pytest.fixture(scope="module", autouse=True)
def torch_names():
    """The names that a pickle refers to, without PyTorch."""

    def _rebuild_tensor_v2():
        """Only its name is pickled."""

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    modules = {name: types.ModuleType(name) for name in ("torch", "torch._utils")}
    modules["torch._utils"]._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in ("FloatStorage", "LongStorage", "DoubleStorage"):
        setattr(modules["torch"], name, type(name, (), {"__module__": "torch"}))
    with pytest.MonkeyPatch.context() as patch:
        for name, module in modules.items():
            patch.setitem(sys.modules, name, module)
        yield modules["torch"]


def written(state, storages, *, magic=0x1950A86A20F9469CFC6C, little_endian=True):
    file = io.BytesIO()
    for head in (magic, 1001, {"little_endian": little_endian}):
        pickle.dump(head, file, protocol=2)

    class Pickler(pickle.Pickler):
        def persistent_id(self, found):
            if isinstance(found, Reference):
                kind = {"f": "FloatStorage", "i": "LongStorage"}[found.values.dtype.kind]
                storage = getattr(sys.modules["torch"], kind)
                return ("storage", storage, found.key, "cpu", found.values.size, None)
            return None

    Pickler(file, protocol=2).dump(state)
    pickle.dump([each.key for each in storages], file, protocol=2)
    for each in storages:
        file.write(each.values.size.to_bytes(8, "little") + each.values.tobytes())
    return file.getvalue()


def read(content, tmp_path):
    path = tmp_path / "state.pth"
    path.write_bytes(content)
    return torch_weights.read(path)


FLOATS = Reference("1", np.arange(12, dtype=np.float32))
COUNTS = Reference("2", np.array([3], dtype=np.int64))


def test_tensors_are_read_whatever_their_strides_and_share_a_storage(tmp_path):
    state = OrderedDict(
        straight=Tensor(FLOATS, 0, (3, 4), (4, 1)),
        turned=Tensor(FLOATS, 0, (4, 3), (1, 4)),
        part=Tensor(FLOATS, 5, (2,), (3,)),
        count=Tensor(COUNTS, 0, (), ()),
    )
    found = read(written(state, [FLOATS, COUNTS]), tmp_path)
    expected = FLOATS.values.reshape(3, 4)
    np.testing.assert_array_equal(found["straight"], expected)
    np.testing.assert_array_equal(found["turned"], expected.T)
    np.testing.assert_array_equal(found["part"], [5, 8])
    assert found["count"] == 3


@pytest.mark.parametrize(
    ("offset", "shape", "strides"), [(0, (13,), (1,)), (1, (3, 4), (4, 1)), (-1, (2,), (1,))]
)
def test_a_tensor_beyond_its_storage_is_refused(tmp_path, offset, shape, strides):
    state = {"wrong": Tensor(FLOATS, offset, shape, strides)}
    with pytest.raises(WeightsError, match="beyond its storage"):
        read(written(state, [FLOATS]), tmp_path)


def test_code_in_a_state_is_not_run(tmp_path):
    class Code:
        def __reduce__(self):
            return (tmp_path / "made").mkdir, ()

    with pytest.raises(WeightsError, match="has no place in a state file"):
        read(written({"evil": Code()}, []), tmp_path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("wrong", [{"magic": 1}, {"little_endian": False}])
def test_another_format_is_reported(tmp_path, wrong):
    with pytest.raises(WeightsError, match=r"state\.pth is not a PyTorch state file"):
        read(written({}, [], **wrong), tmp_path)


def test_a_file_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.pth: No such file"):
        torch_weights.read(tmp_path / "none.pth")


@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read(tmp_path_factory, data):
    content = bytearray(written({"a": Tensor(FLOATS, 0, (3, 4), (4, 1))}, [FLOATS]))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(content), tmp_path_factory.mktemp("damaged"))
    except WeightsError:
        return
    assert all(isinstance(tensor, np.ndarray) for tensor in found.values())
