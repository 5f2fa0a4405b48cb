import pytest

MINIMAL = """\
model: m
time: {start: 2020-07-01T00:00:00-07:00, duration: 1d}
workload:
  delay_classes: {day: 24h}
  duration_bins: [1h, 72h]
  batch:
    - {name: a, trace: t, compute_class: c, jobs_per_day: 5, origin_shares: {o: 1}, delay_shares: {day: 1}}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write the minimal scenario with replacements and return its path."""
    monkeypatch.chdir(tmp_path)

    def write_file(*edits, more=""):
        text = MINIMAL
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "s.yaml").write_text(text + more, encoding="utf-8")
        return tmp_path / "s.yaml"

    return write_file
