from pathlib import Path

import pytest

from gridtwin.catalogue.hardware import load_hardware
from gridtwin.catalogue.identifiers import FORM, Identifier
from gridtwin.catalogue.pools import Pool
from gridtwin.catalogue.readings import with_readings
from gridtwin.errors import InputError

HEAD = "identifier,precision,measured_tflops,date,method"
CPU, NPU = "CN-Gansu-a/general/cpu_block_40kw", "CN-Gansu-a/intelligent/ascend_block_40kw"


def pools() -> list[Pool]:
    hardware = load_hardware()
    return [
        Pool(Identifier("CN", "Gansu", "a", "general", "cpu_block_40kw", 1, 100), hardware["cpu_block_40kw"], 2022),
        Pool(
            Identifier("CN", "Gansu", "a", "intelligent", "ascend_block_40kw", 1, 9),
            hardware["ascend_block_40kw"],
            2023,
        ),
    ]


def written(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "readings.csv"
    path.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    return path


def test_readings_go_to_the_machines_that_they_name(tmp_path):
    rows = (
        f'{CPU}#1-#40,fp32,500,2024-01-01,"HPL, single"',
        f"{CPU}#7,fp64,250,2024-01-02,HPL",
        f"{NPU}#1-#9,int8,30000,2025-02-03,gemm",
    )
    cpu, npu = with_readings(pools(), written(tmp_path, *rows))
    assert [str(reading.identifier) for reading in cpu.readings] == [f"{CPU}#1-#40", f"{CPU}#7"]
    assert cpu.readings[0].method == "HPL, single"
    assert cpu.measured_units == 40
    assert npu.readings[0].each.to("TOP/s") == 30_000
    assert npu.measured_units == 0, "intelligent compute is metered in FP16"


def test_a_reading_may_be_above_a_peak_that_is_an_estimate(tmp_path):
    _, npu = with_readings(pools(), written(tmp_path, f"{NPU}#1,fp16,23000,2025-02-03,gemm"))
    assert npu.measured_units == 1


def test_all_faults_are_reported_where_they_stand(tmp_path):
    path = written(
        tmp_path,
        f"{CPU}#90-#101,fp32,500,2024-01-01,HPL",
        "CN-Gansu-a/general/cpu_blok_40kw#1,fp32,500,2024-01-01,HPL",
        "cpu_block_40kw,fp32,500,2024-01-01,HPL",
        f"{CPU}#1,fp31,500,2024-01-01,HPL",
        f"{CPU}#1,fp32,600,2024-01-01,HPL",
        f"{CPU}#1,fp32,500,spring,HPL",
        f"{NPU}#1,fp64,500,2024-01-01,HPL",
        f"{CPU}#1-#40,fp32,500,2024-01-01,HPL",
        f"{CPU}#40-#50,fp32,400,2024-01-01,HPL",
        f"{CPU}#1,fp32,-1,2024-01-05,",
    )
    with pytest.raises(InputError) as raised:
        with_readings(pools(), path)
    found = [(issue.line, issue.message) for issue in raised.value.issues]
    assert found == [
        (2, f"the model has no {CPU}#90-#101 (did you mean '{CPU}#1-#100'?)"),
        (3, f"the model has no CN-Gansu-a/general/cpu_blok_40kw#1 (did you mean '{CPU}#1-#100'?)"),
        (
            4,
            f"'cpu_block_40kw' is no identifier; expected {FORM}",
        ),
        (5, "unknown precision 'fp31' (did you mean 'fp32'?)"),
        (6, "600 is above the published peak of one cpu_block_40kw, 589.8 TFLOP/s FP32"),
        (7, "date is 'spring'; expected YYYY-MM-DD"),
        (8, "ascend_block_40kw has no peak in fp64"),
        (10, f"{CPU}#1-#40 has a reading of the same day; say which machines gave which"),
        (11, "measured_tflops is -1; expected a number > 0"),
        (11, "method is empty; expected a name"),
    ]
