import csv
from pathlib import Path

import pytest

from gridtwin.catalogue.hardware import SHIPPED_HARDWARE, load_hardware
from gridtwin.errors import InputError


def rewritten(tmp_path: Path, changes: dict[tuple[int, str], str]) -> Path:
    """Return a copy of the shipped catalogue with cells changed, by (row, column)."""
    with SHIPPED_HARDWARE.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for (row, column), text in changes.items():
        rows[row][column] = text
    path = tmp_path / "hardware.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_every_unit_has_a_source_and_sane_power():
    hardware = load_hardware()
    assert {"general", "intelligent", "inference", "super"} == {unit.compute_class for unit in hardware.values()}
    for name, unit in hardware.items():
        assert unit.name == name
        assert unit.source
        assert 0.0 < unit.idle_w < unit.peak_w
        assert unit.fp64_tflops <= unit.fp32_tflops <= unit.fp16_tflops


@pytest.mark.parametrize(
    ("block", "unit", "count"),
    [
        ("training_block_40kw", "training_node_8gpu", 4),
        ("cpu_block_40kw", "cpu_node", 40),
        ("inference_block_40kw", "inference_node", 10),
    ],
)
def test_blocks_are_multiples_of_their_nodes(block, unit, count):
    hardware = load_hardware()
    assert hardware[block].peak_w == 40_000.0
    for field in ("idle_w", "memory_gb", "fp64_tflops", "fp32_tflops", "fp16_tflops"):
        assert getattr(hardware[block], field) == pytest.approx(count * getattr(hardware[unit], field), rel=1e-3)
    assert hardware[block].peak_w == pytest.approx(count * hardware[unit].peak_w, rel=0.021)


def test_bad_cells_are_all_reported_where_they_stand(tmp_path):
    path = rewritten(
        tmp_path,
        {
            (0, "idle_w"): "two",
            (0, "estimates"): "colour",
            (1, "peak_w"): "100",
            (2, "source"): "",
            (3, "name"): "cpu_node",
            (3, "memory_gb"): "nan",
        },
    )
    with pytest.raises(InputError) as raised:
        load_hardware(path)
    assert [str(issue).removeprefix(str(path)) for issue in raised.value.issues] == [
        ":2:1: duplicate name 'cpu_node'",
        ":2:4: idle_w: got 'two', expected a number >= 0",
        (
            ":2:11: unknown field 'colour'; expected some of "
            "idle_w, peak_w, memory_gb, per_rack, fp64_tflops, fp32_tflops, fp16_tflops"
        ),
        ":3:4: idle_w 2000 is above peak_w 100",
        ":4:12: source: is empty",
        ":5:1: duplicate name 'cpu_node'",
        ":5:6: memory_gb: got 'nan', expected a number >= 0",
    ]


def test_missing_columns_and_files(tmp_path):
    path = tmp_path / "hardware.csv"
    with pytest.raises(InputError, match="no such hardware catalogue"):
        load_hardware(path)
    path.write_text("name,idle_w\n")
    with pytest.raises(InputError, match=r"hardware.csv:1:0: missing column 'peak_w'"):
        load_hardware(path)


def test_unquoted_commas_and_short_rows_are_noticed(tmp_path):
    path = tmp_path / "hardware.csv"
    lines = SHIPPED_HARDWARE.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[3].replace('"', ""), "half,general"]))
    with pytest.raises(InputError) as raised:
        load_hardware(path)
    messages = [str(issue).removeprefix(str(path)) for issue in raised.value.issues]
    assert any("quote texts that hold a comma" in message for message in messages)
    assert ":3:4: idle_w: got '', expected a number >= 0" in messages
