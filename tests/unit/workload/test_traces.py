from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridtwin.errors import InputError
from gridtwin.workload.traces import read_trace

TRACES = Path(__file__).parents[3] / "traces"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "jobs", "mean_cores"), [("gaia_alibaba_pai_100k", 99_998, 3.4), ("gaia_azure_vm_100k", 99_988, 4.0)]
)
def test_shipped_traces_span_a_year(name, jobs, mean_cores):
    trace = read_trace(TRACES / f"{name}.parquet")
    assert len(trace) == jobs
    assert trace.period_s == 365 * 86_400
    assert trace.jobs_per_day == pytest.approx(jobs / 365)
    assert trace.cores.mean() == pytest.approx(mean_cores, abs=0.1)
    assert (np.diff(trace.submit_s) >= 0).all()


def test_csv_is_sorted_and_rounded_to_whole_seconds(tmp_path):
    trace = read_trace(write(tmp_path / "t.csv", "submit_s,runtime_s,cores,user\n90000,1.2,2,x\n5.9,10,0.5,y\n"))
    assert trace.submit_s.tolist() == [5, 90_000]
    assert trace.runtime_s.tolist() == [10, 2]
    assert trace.cores.tolist() == [0.5, 2.0]
    assert trace.period_s == 2 * 86_400


def test_every_fault_is_reported_with_count_and_row(tmp_path):
    path = write(
        tmp_path / "t.csv", "submit_s,runtime_s,cores\n0,10,1\n-1,0,1\n5,nan,0\n6,long,inf\n7,-3,1\n8,-3,1\n9,-3,1\n"
    )
    with pytest.raises(InputError) as raised:
        read_trace(path)
    assert [str(issue) for issue in raised.value.issues] == [
        (
            f"{path}:3:0: runtime_s: 4 of 7 values are not above 0 (first in data rows 2, 5, 6); "
            "remove jobs that did not run"
        ),
        f"{path}:3:0: submit_s: 1 of 7 values are below 0 (first in data rows 2); count seconds from the trace's start",
        f"{path}:4:0: cores: 1 of 7 values are not above 0 (first in data rows 3); remove jobs that did not run",
        f"{path}:4:0: runtime_s: 2 of 7 values are not a number (first in data rows 3, 4); fill or remove them",
        f"{path}:5:0: cores: 1 of 7 values are not a number (first in data rows 4); fill or remove them",
    ]


def test_missing_columns_are_all_named(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"submit_s": [0], "cpus": [1]}).to_parquet(path)
    with pytest.raises(InputError) as raised:
        read_trace(path)
    messages = [issue.message for issue in raised.value.issues]
    assert messages == [f"missing column {name!r}; the file has submit_s, cpus" for name in ("cores", "runtime_s")]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.txt", "", "a trace is a .parquet or .csv file, got '.txt'"),
        ("t.csv", "submit_s,runtime_s,cores\n", "has no rows"),
        ("t.csv", "", "cannot be read as csv"),
        ("t.parquet", "not parquet", "cannot be read as parquet"),
    ],
)
def test_unusable_files_say_why(tmp_path, name, text, message):
    with pytest.raises(InputError, match=message):
        read_trace(write(tmp_path / name, text))


def test_a_missing_trace_names_those_that_are_there(tmp_path):
    write(tmp_path / "other.csv", "")
    with pytest.raises(InputError, match=r"no such trace; other\.csv is in"):
        read_trace(tmp_path / "t.csv")
