"""A type checker refuses what the meter refuses when it runs."""

from mypy import api

from gridtwin.catalogue import meter

ADDED = """
from gridtwin.catalogue.meter import FP16, FP32, Throughput, total

general = Throughput.of(280.0, "EFLOP/s", FP32)
both: Throughput[FP32] = general + general
wrong = general + Throughput.of(788.0, "EFLOP/s", FP16)
worse = total(FP32, [Throughput(1.0, FP16)])
worst = sum([general])
"""


def test_adding_unlike_precisions_is_a_type_error(tmp_path):
    path = tmp_path / "added.py"
    path.write_text(ADDED, encoding="utf-8")
    options = ["--follow-imports=skip", "--ignore-missing-imports", "--config-file=", f"--cache-dir={tmp_path}"]
    report, _, code = api.run([*options, meter.__file__, str(path)])
    assert code == 1
    assert [line.split(":")[1] for line in report.splitlines() if ": error:" in line] == ["6", "7", "8"]
