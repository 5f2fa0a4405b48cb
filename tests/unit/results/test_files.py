"""What is written outlives a loss of power: it is flushed to disk before it counts."""

import os

import pytest

from gridtwin.results.files import write_atomically
from gridtwin.results.journal import append_entry


@pytest.fixture
def flushed(tmp_path, monkeypatch):
    """Sizes of what is flushed, and which names stand in the folder by then."""
    seen = []

    def note(descriptor):
        seen.append((os.fstat(descriptor).st_size, {path.name for path in tmp_path.iterdir()}))

    monkeypatch.setattr(os, "fsync", note)
    return seen


def test_a_file_is_on_disk_before_it_has_its_name(tmp_path, flushed):
    write_atomically(tmp_path / "file", lambda file: file.write(b"content"))
    ((size, names),) = flushed
    assert size == len(b"content")
    assert "file" not in names
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_line_of_the_journal_is_on_disk_when_it_counts(tmp_path, flushed):
    append_entry(tmp_path / "journal", "inputs", {})
    ((size, _),) = flushed
    assert size == (tmp_path / "journal").stat().st_size > 0
