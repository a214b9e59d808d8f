import pytest

from pipeline.cli.output.epoch_line import fitted

LINE = (
    "epoch  9/25  loss 0.1579  accuracy 0.9494  auc 0.9886"
    "  val_loss 0.6190  val_accuracy 0.6475  val_auc 0.9890  104 s  best"
)


@pytest.mark.parametrize("width", [60, 80, 118])
def test_an_epoch_fits_the_terminal(width):
    text = fitted(LINE, width)
    assert len(text) <= width
    assert text.startswith("epoch  9/25  ")
    assert text.endswith("  val_auc 0.9890  104 s  best")


def test_the_less_needed_metrics_are_left_out_first():
    assert fitted(LINE, 78) == (
        "epoch  9/25  loss 0.1579  val_loss 0.6190  val_auc 0.9890  104 s  best"
    )


def test_what_fits_is_left_whole():
    assert fitted(LINE, len(LINE)) == LINE


def test_a_narrow_terminal_has_what_is_needed():
    assert fitted(LINE, 10) == "epoch  9/25  val_auc 0.9890  104 s  best"


def test_any_other_line_stays():
    other = "compact, 300,000 parameters, epoch 3/4  loss"
    assert fitted(other, 10) == other
