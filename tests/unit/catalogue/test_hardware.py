import csv
import math
from pathlib import Path

import pytest

from gridtwin.catalogue.hardware import SHIPPED_HARDWARE, load_hardware
from gridtwin.catalogue.meter import FP32, FP64, METERED_IN
from gridtwin.catalogue.systems import load_systems
from gridtwin.errors import InputError

SPEEDS = ("fp64_tflops", "fp32_tflops", "fp16_tflops", "int8_tops")


def rewritten(tmp_path: Path, changes: dict[tuple[int, str], str]) -> Path:
    """Return a copy of the shipped catalogue with cells changed, by (row, column)."""
    with SHIPPED_HARDWARE.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for (row, column), text in changes.items():
        rows[row][column] = text
    path = tmp_path / "hardware.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_every_unit_has_a_source_and_sane_power():
    hardware = load_hardware()
    assert {unit.compute_class for unit in hardware.values()} == {*METERED_IN, "edge"}
    for name, unit in hardware.items():
        assert unit.name == name
        assert unit.source
        assert 0.0 < unit.idle_w < unit.peak_w
        speeds = [speed for field in SPEEDS if not math.isnan(speed := getattr(unit, field))]
        assert speeds == sorted(speeds)


@pytest.mark.parametrize("name", list(load_hardware()))
def test_every_unit_is_so_many_of_a_real_system(name):
    unit = load_hardware()[name]
    system = load_systems()[unit.based_on]
    for field in SPEEDS:
        expected = unit.count * getattr(system, field)
        assert getattr(unit, field) == pytest.approx(expected, rel=1e-3, nan_ok=True), field
    assert unit.peak_w == pytest.approx(unit.count * (system.peak_w + system.host_w), rel=0.03)
    assert (unit.instruction_set, unit.stack, unit.vintage) == (system.instruction_set, system.stack, system.vintage)
    estimated = set(system.estimates) & set(SPEEDS)
    assert estimated <= set(unit.estimates), "an estimate stays one when it is multiplied"


def test_a_national_model_finds_what_it_needs():
    hardware = load_hardware()
    blocks = [unit for name, unit in hardware.items() if name.endswith("block_40kw")]
    assert {unit.peak_w for unit in blocks} == {40_000.0}
    assert {(unit.compute_class, unit.instruction_set, unit.stack) for unit in blocks} >= {
        ("general", "x86_64", "none"),
        ("general", "aarch64", "none"),
        ("intelligent", "x86_64", "cuda"),
        ("intelligent", "aarch64", "cann"),
        ("inference", "x86_64", "cuda"),
        ("super", "x86_64", "none"),
        ("super", "x86_64", "dtk"),
        ("super", "sw64", "athread"),
        ("edge", "x86_64", "none"),
        ("edge", "x86_64", "cuda"),
    }


def test_peaks_are_metered_in_the_precision_of_the_class():
    unit = load_hardware()["hpc_node"]
    assert unit.peak() == unit.peak("fp64")
    assert unit.peak("fp64").precision is FP64
    assert unit.peak("fp32").precision is FP32
    assert unit.peak("int8").to("TOP/s") == 1532.0
    assert load_hardware()["ascend_block_40kw"].peak("fp64") is None


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
            (1, "stack"): "cudda",
            (2, "source"): "",
            (2, "instruction_set"): "x86",
            (3, "name"): "cpu_node",
            (3, "memory_gb"): "nan",
            (4, "precision"): "fp64",
            (5, "fp16_tflops"): "",
        },
    )
    figures = "vintage, idle_w, peak_w, memory_gb, per_rack, fp64_tflops, fp32_tflops, fp16_tflops, int8_tops"
    with pytest.raises(InputError) as raised:
        load_hardware(path)
    found = [str(issue).removeprefix(str(path)).split(":", 3) for issue in raised.value.issues]
    assert [(int(line), message.strip()) for _, line, _, message in found] == [
        (2, "idle_w is two; expected a number >= 0"),
        (2, f"unknown field 'colour'; expected some of {figures}"),
        (3, "unknown stack 'cudda' (did you mean 'cuda'?)"),
        (3, "idle_w 2000 is above peak_w 100"),
        (4, "unknown instruction set 'x86' (did you mean 'x86_64'?)"),
        (4, "source is empty; expected a name"),
        (5, "name 'cpu_node' is there twice; the first is in line 2"),
        (5, "memory_gb is nan; expected a number >= 0"),
        (6, "class 'general' is metered in fp32, not fp64"),
        (7, "is metered in fp16 and has no fp16_tflops"),
    ]


def test_missing_columns_and_files(tmp_path):
    path = tmp_path / "hardware.csv"
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_hardware(path)
    path.write_text("name,idle_w\n")
    with pytest.raises(InputError, match=r"hardware.csv:1:1: column 'peak_w' is missing"):
        load_hardware(path)


def test_unquoted_commas_and_short_rows_are_noticed(tmp_path):
    path = tmp_path / "hardware.csv"
    lines = SHIPPED_HARDWARE.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[3].replace('"', ""), "half,general"]), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        load_hardware(path)
    assert [issue.line for issue in raised.value.issues] == [2, 3]
