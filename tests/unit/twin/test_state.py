import numpy as np
import pytest

from gridtwin.errors import ResultsError
from gridtwin.twin.build import initial_twin_state
from gridtwin.twin.state import load_state, save_state


@pytest.fixture
def saved(pocket, tmp_path):
    path = tmp_path / "state.npz"
    save_state(initial_twin_state(pocket()), path)
    return path


def test_a_blank_state_comes_back(saved):
    state = load_state(saved)
    assert (state.window, state.compute.now_s, state.compute.next_row) == (0, 0, 0)
    assert type(state.compute.now_s) is int
    assert np.isnan(state.memory.unit_mw).all()
    assert state.memory.binding.dtype == bool
    assert state.compute.waiting_row.dtype == np.int64


def without_a_field(path):
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "compute.now_s"}
    np.savez(path, **arrays)


def with_a_field_more(path):
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(path, **arrays, **{"memory.mood": np.zeros(1)})


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    "spoil",
    [
        without_a_field,
        with_a_field_more,
        cut_off,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"something else"),
        lambda path: path.unlink(),
    ],
)
def test_what_is_no_state_is_refused(saved, spoil):
    spoil(saved)
    with pytest.raises(ResultsError, match=r"state\.npz: not a gridtwin state \(.*\); run the scenario again"):
        load_state(saved)


def test_nothing_in_a_state_needs_pickle(saved):
    with np.load(saved, allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)
        assert "allow_pickle" not in archive.files
