import json
import re

import numpy as np
import pytest

from gridtwin.errors import ResultsError
from gridtwin.results.files import read_columns, sha256, write_atomically, write_columns, write_json
from gridtwin.results.journal import INPUTS
from gridtwin.results.store import RunFolder
from gridtwin.results.variables import tables, variables


def write_state(file):
    return file.write(b"state")


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path)
    (tmp_path / "inputs").mkdir()
    write_json(tmp_path / "inputs" / "a.json", {})
    folder.commit(INPUTS, [tmp_path / "inputs" / "a.json"])
    return folder


def test_what_is_written_is_read_back(folder, coords, window):
    made = [window(number) for number in range(3)]
    for number, (time, values, events) in enumerate(made):
        folder.write_window(number, coords, time, values, events, write_state)
    time, arrays = folder.read_variables(3, coords)
    np.testing.assert_array_equal(time, np.concatenate([part[0] for part in made]))
    assert time.dtype == np.dtype("datetime64[s]")
    assert arrays.keys() == variables().keys()
    for name, array in arrays.items():
        expected = np.concatenate([part[1][name] for part in made])
        assert (array.dtype, array.shape) == (expected.dtype, expected.shape), name
        assert array.tobytes() == expected.tobytes(), name
    starts = folder.read_events(3, "job_start")
    np.testing.assert_array_equal(starts["row"], np.concatenate([part[2]["job_start"]["row"] for part in made]))
    assert starts["window"].tolist() == [0, 1, 1, 2, 2, 2]


def test_tables_are_in_long_form_with_labels(folder, coords, window):
    time, values, events = window()
    folder.write_window(0, coords, time, values, events, write_state)
    table = read_columns(folder.file(0, "pool"))
    assert list(table)[:3] == ["time", "site", "compute_class"]
    assert table["site"].tolist() == ["s1"] * 3 + ["s2"] * 3 + ["s1"] * 3 + ["s2"] * 3
    assert table["compute_class"][:4].tolist() == ["general", "intelligent", "serving", "general"]
    assert table["time"].astype("datetime64[s]").tolist() == np.repeat(time, 6).tolist()
    assert table["busy_node_s"].tolist() == values["busy_node_s"].ravel().tolist()


def test_labels_are_more_than_two_bytes_count(folder, coords, window):
    time, values, events = window(steps=1)
    many = 40_000
    buses = tuple(map(str, range(many)))
    values |= {v.name: np.arange(many)[None, :].astype(float) for v in tables()["bus"]}
    folder.write_window(0, coords | {"bus": buses}, time, values, events, write_state)
    table = read_columns(folder.file(0, "bus"))
    assert tuple(table["bus"]) == buses
    assert table["vm_pu"].tolist() == list(range(many))


def test_equal_windows_give_equal_bytes(tmp_path, coords, window):
    for name in ("one", "two"):
        RunFolder(tmp_path / name).path.mkdir()
        RunFolder(tmp_path / name).write_window(0, coords, *window(), write_state)
    for file in (tmp_path / "one" / "windows").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / "windows" / file.name).read_bytes()


def test_the_journal_knows_every_file(folder, coords, window):
    for number in range(4):
        folder.write_window(number, coords, *window(number), write_state)
    journal = folder.read_journal()
    assert (journal.fault, journal.windows, journal.closed) == ("", 4, False)
    files = {file.relative_to(folder.path).as_posix(): file for file in folder.path.rglob("*") if file.is_file()}
    del files["journal.jsonl"]
    old_states = {"state/s00001.npz", "state/s00002.npz"}
    assert journal.files.keys() == files.keys() | old_states
    assert len(files) == 4 * (len(tables()) + 1) + 3
    for name, file in files.items():
        assert journal.files[name] == sha256(file)


def test_a_missing_variable_is_named(folder, coords, window):
    time, values, events = window()
    del values["vm_pu"], values["losses_mw"]
    with pytest.raises(ResultsError, match="lacks losses_mw, vm_pu"):
        folder.write_window(0, coords, time, values, events, write_state)
    assert not folder.windows.exists()


def test_an_unknown_variable_is_named(folder, coords, window):
    time, values, events = window()
    with pytest.raises(ResultsError, match="not in the table of variables: vm_kv"):
        folder.write_window(0, coords, time, values | {"vm_kv": np.zeros(2)}, events, write_state)
    assert not folder.windows.exists()


def test_a_wrong_shape_is_named(folder, coords, window):
    time, values, events = window()
    message = re.escape("vm_pu has shape (3, 2), expected (2, 3) for dimensions ('time', 'bus')")
    with pytest.raises(ResultsError, match=message):
        folder.write_window(0, coords, time, values | {"vm_pu": values["vm_pu"].T}, events, write_state)


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PAR1 cut off")])
def test_a_window_that_cannot_be_read_is_named(folder, coords, window, spoil):
    folder.write_window(0, coords, *window(), write_state)
    spoil(folder.file(0, "line"))
    with pytest.raises(ResultsError, match=r"w00000\.line\.parquet: cannot be read as Parquet"):
        folder.read_variables(1, coords)


def test_a_failing_writer_leaves_what_was_there(tmp_path):
    path = tmp_path / "new" / "file.bin"
    write_atomically(path, lambda file: file.write(b"old"))

    def fails(file):
        file.write(b"new and longer")
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="disk on fire"):
        write_atomically(path, fails)
    assert path.read_bytes() == b"old"
    with pytest.raises(RuntimeError, match="disk on fire"):
        write_atomically(tmp_path / "new" / "other.bin", fails)
    assert [file.name for file in path.parent.iterdir()] == ["file.bin"]


def test_columns_keep_type_and_value(tmp_path):
    columns = {
        "whole": np.array([2**62, -1]),
        "real": np.array([0.1 + 0.2, np.nan]),
        "flag": np.array([True, False]),
        "text": np.array(["a", "β"]),
    }
    write_columns(tmp_path / "t.parquet", columns)
    again = read_columns(tmp_path / "t.parquet")
    assert list(again) == list(columns)
    for name in ("whole", "real", "flag"):
        assert (again[name].dtype, again[name].tobytes()) == (columns[name].dtype, columns[name].tobytes())
    assert again["text"].tolist() == ["a", "β"]


def test_json_has_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [None, 0.1]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"b": 1, "a": [None, 0.1]}
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "b.json", {"a": float("nan")})
    assert not (tmp_path / "b.json").exists()
