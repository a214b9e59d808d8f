import pytest
import tensorflow as tf

from components.artifacts import example_counts
from tests import processes
from tests.components import tiny
from transform_module import contract
from transform_module.errors import UserError


@pytest.fixture
def examples(tmp_path):
    tiny.write_split(tmp_path, contract.TEST, [tiny.example(n % 2, 0.5) for n in range(5)])
    return tiny.examples_artifact(tmp_path, [contract.TEST])


def test_all_records_pass(examples):
    assert example_counts.count(examples, contract.TEST) == 5
    example_counts.require_all(examples, [contract.TEST])


def test_examples_that_do_not_show_their_number_are_refused(examples):
    example_counts.mark(examples, {}, "")
    examples.set_string_custom_property(example_counts.RECORDS, "")
    with pytest.raises(UserError, match="do not record how many records they hold"):
        example_counts.require_all(examples, [contract.TEST])


@pytest.mark.parametrize("recorded", [4, 6, 10])
def test_more_or_fewer_records_are_refused(examples, recorded):
    example_counts.mark(examples, {contract.TEST: recorded}, "f1")
    with pytest.raises(UserError, match=rf"test .* holds 5 records, the dataset has {recorded}\."):
        example_counts.require_all(examples, [contract.TEST])


def flipped(content):
    return content[: len(content) // 2] + b"\xff\xff" + content[len(content) // 2 + 2 :]


@pytest.mark.parametrize("damage", [flipped, lambda content: content[:-12], lambda content: b"no"])
def test_a_damaged_file_is_named_and_nothing_of_it_is_reported(examples, tmp_path, damage):
    (file,) = (tmp_path / "Split-test").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(UserError) as raised:
        example_counts.require_all(examples, [contract.TEST])
    assert str(raised.value) == f"{file} is damaged. Run again: what is damaged is made anew."


def counted_then_configured(folder):
    """What a worker does: TensorFlow allows the second step before its first operation alone."""
    count = example_counts.count(tiny.examples_artifact(folder, [contract.TEST]), contract.TEST)
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return count


@pytest.mark.slow
def test_workers_can_find_each_other_after_their_examples_were_counted(examples, tmp_path):
    assert processes.run(counted_then_configured, {"folder": tmp_path}) == [5]
