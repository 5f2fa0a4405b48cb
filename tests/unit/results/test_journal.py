import json

import pytest

from gridtwin.errors import ResultsError
from gridtwin.results.journal import CLOSED, INPUTS, WINDOW, append_entry, read_journal


@pytest.fixture
def path(tmp_path):
    """Return a journal of inputs, three windows and the end."""
    path = tmp_path / "journal.jsonl"
    append_entry(path, INPUTS, {"inputs/a": "00"})
    for window in range(3):
        append_entry(path, WINDOW, {f"windows/{window}": f"0{window}"}, window)
    append_entry(path, CLOSED, {"summary.json": "99"})
    return path


def test_what_is_entered_is_read(path):
    journal = read_journal(path)
    assert (journal.windows, journal.closed, journal.fault, journal.torn) == (3, True, "", False)
    assert [entry.kind for entry in journal.entries] == [INPUTS, WINDOW, WINDOW, WINDOW, CLOSED]
    assert [entry.window for entry in journal.entries] == [-1, 0, 1, 2, -1]
    assert journal.files["windows/1"] == "01"
    assert journal.entries[-1].end == path.stat().st_size


def test_lines_are_json_for_people(path):
    first, second = (json.loads(line) for line in path.read_text().splitlines()[:2])
    assert first == {"previous": "", "entry": "inputs", "files": {"inputs/a": "00"}}
    assert second == {"previous": second["previous"], "entry": "window", "window": 0, "files": {"windows/0": "00"}}
    assert len(second["previous"]) == 64


def test_a_line_that_was_cut_off_does_not_count(path):
    whole = path.read_bytes()
    ends = [entry.end for entry in read_journal(path).entries]
    for cut in range(ends[2] + 1, ends[3]):
        path.write_bytes(whole[:cut])
        journal = read_journal(path)
        assert (journal.windows, journal.closed, journal.torn) == (2, False, True)
        assert "line 4 of journal.jsonl" in journal.fault


@pytest.mark.parametrize("number", range(5))
def test_a_line_taken_out_is_found(path, number):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
    journal = read_journal(path)
    if number == 4:  # nothing tells that there was more, but the run is not closed
        assert not journal.closed
    else:
        assert f"line {number + 1} of" in journal.fault
        assert journal.torn == (number == 3)


def test_two_lines_that_change_places_are_found(path):
    first, *rest = path.read_bytes().splitlines(keepends=True)
    rest[0], rest[1] = rest[1], rest[0]
    path.write_bytes(b"".join([first, *rest]))
    assert "line 2 of journal.jsonl: does not follow" in read_journal(path).fault


def test_every_flipped_byte_is_found_or_changes_a_checksum(path):
    whole, known = path.read_bytes(), read_journal(path)
    for place in range(len(whole)):
        for mask in (0x01, 0x20, 0xFF):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
            journal = read_journal(path)
            assert journal.fault or journal.files != known.files, (place, mask)


@pytest.mark.parametrize("entry", [(INPUTS, {}), (WINDOW, {}, 3), (CLOSED, {}), ("other", {})])
def test_nothing_follows_the_end(path, entry):
    append_entry(path, *entry)
    assert "out of order" in read_journal(path).fault


def test_windows_are_in_order(tmp_path):
    path = tmp_path / "journal.jsonl"
    append_entry(path, INPUTS, {})
    append_entry(path, WINDOW, {}, 1)
    assert "line 2 of journal.jsonl: has 'window' 1 out of order" in read_journal(path).fault


def test_no_journal(tmp_path):
    with pytest.raises(ResultsError, match="not the folder of a run, it has no journal"):
        read_journal(tmp_path / "journal.jsonl")
