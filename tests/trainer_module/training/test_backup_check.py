"""Damage of what a killed training left."""

import pytest

from tests.trainer_module.training.test_backup import ALONE, EPOCHS, set_state, state, steps
from trainer_module.training.backup import Backup
from trainer_module.training.backup_check import discard_damaged
from trainer_module.training.kept_folder import KeptFolder


def saved_in(folder):
    trained = steps()
    backup = Backup(KeptFolder(folder), trained, ALONE)
    for epoch in (1, 2, 3):
        set_state(trained, epoch)
        backup.save(EPOCHS[:epoch], is_best=epoch < 3)
    return folder


def resumed(folder):
    fresh = steps()
    set_state(fresh, 7)
    return Backup(KeptFolder(folder), fresh, ALONE).restore(), state(fresh)


FILES = (
    "state/checkpoint",
    "state/state-3.index",
    "state/state-3.data-00000-of-00001",
    "best/checkpoint",
    "best/best-2.index",
    "best/best-2.data-00000-of-00001",
    "history.csv",
)
DAMAGES = {
    "flipped": lambda content: (
        content[: len(content) // 2]
        + bytes([content[len(content) // 2] ^ 4])
        + content[len(content) // 2 + 1 :]
    ),
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
}


def test_these_are_all_files_of_a_backup(tmp_path):
    saved_in(tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == set(FILES)


def test_what_is_whole_stays(tmp_path):
    discard_damaged(saved_in(tmp_path))
    assert resumed(tmp_path) == (EPOCHS, {3})


@pytest.mark.parametrize("damage", [*DAMAGES, "removed"])
@pytest.mark.parametrize("name", FILES)
def test_from_a_damaged_backup_a_training_begins_anew_or_continues_as_it_was(
    tmp_path, caplog, name, damage
):
    file = saved_in(tmp_path) / name
    if damage == "removed":
        file.unlink()
    else:
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    history, variables = resumed(tmp_path)
    # A flipped bit in a checkpoint's list of former ones, say, changes nothing that is read.
    assert (history, variables) in [([], {7}), (EPOCHS, {3})]
    if not history:
        assert "It begins anew" in caplog.text
        assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["state/state-3.data-00000-of-00001", "history.csv"])
def test_a_flipped_value_is_never_resumed_from(tmp_path, name):
    file = saved_in(tmp_path) / name
    file.write_bytes(DAMAGES["flipped"](file.read_bytes()))
    assert resumed(tmp_path) == ([], {7})
