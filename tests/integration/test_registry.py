"""From the command line to the registry of compute."""

import json
import subprocess
import sys

import pytest

from gridtwin.cli import main

UNIT = "ZZ-west-west_dc/general/cpu_block_40kw"


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    """Run `gridtwin registry` in a folder with some readings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "readings.csv").write_text(
        f"identifier,precision,measured_tflops,date,method\n{UNIT}#1-#100,fp32,500,2025-05-01,HPL\n"
    )

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["registry", *arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return call


MODEL = ("--model", "starter", "--readings", "readings.csv")


def test_what_ships_is_listed_and_narrowed(cli):
    code, out, err = cli("list", "--stack", "cann")
    assert (code, err) == (0, "")
    assert "华为昇腾 910B" in out
    assert "nvidia" not in out


def test_json_is_all_that_is_printed(cli):
    code, out, err = cli("list", *MODEL, "--class", "general", "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told["model"] == "starter"
    assert {row["identifier"] for row in told["pools"]} == {
        f"{UNIT}#1-#900", "ZZ-east-east_dc/general/cpu_block_40kw#1-#700",
    }  # fmt: skip
    (total,) = told["totals_by_class"]
    assert total["peak_fp32_tflops"] == pytest.approx(1600 * 589.8)
    assert total["metered_fp32_tflops"] == pytest.approx(1500 * 589.8 + 100 * 500)
    assert total["uses"] == "measured 100, published peak 1,500"


def test_totals_by_region_for_people(cli):
    code, out, _ = cli("list", *MODEL, "--totals", "--by", "region")
    assert code == 0
    assert UNIT not in out
    assert "measured 100, published peak 800" in out
    assert "never added" in out


def test_words_find_pools(cli):
    code, out, _ = cli("search", "steppe", "智能", *MODEL)
    assert code == 0
    assert "ZZ-west-west_dc/intelligent/training_block_40kw#1-#800" in out


def test_one_machine_is_shown_with_its_sources(cli):
    code, out, _ = cli("show", f"{UNIT}#7", *MODEL)
    assert code == 0
    assert "AMD EPYC 9004 series data sheet" in out
    assert "(estimate)" in out
    assert "HPL" in out


@pytest.mark.parametrize("ending", ["csv", "json", "xlsx"])
def test_exports(cli, tmp_path, ending):
    code, out, err = cli("export", f"compute.{ending}", *MODEL)
    assert code == 0
    assert out.startswith(f"written to compute.{ending}: 6 pools")
    assert ("left out" in err) == (ending == "csv")
    assert (tmp_path / f"compute.{ending}").stat().st_size > 500


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (
            ("show", "ZZ-west-west_dc/general/cpu_blok_40kw#7", "--model", "starter"),
            3,
            f"did you mean '{UNIT}#1-#900'?",
        ),
        (("show", "ascend_910"), 3, "did you mean 'huawei_ascend_910'?"),
        (("list", "--model", "startr"), 3, "did you mean 'starter'?"),
        (("list", "--region", "Gansu"), 3, "give --model"),
        (("search", "nvdia"), 3, "did you mean 'nvidia'?"),
        (("list", "--variant", "2030"), 2, "give --model"),
        (("export", "compute.ods"), 3, "expected one of .csv, .json, .xlsx"),
    ],
)
def test_errors_say_what_to_try(cli, arguments, code, hint):
    ended, out, err = cli(*arguments)
    assert (ended, out) == (code, "")
    assert hint in err


def test_help_imports_no_numpy():
    code = "app(['registry', '--help'], standalone_mode=False); print('numpy' in sys.modules)"
    script = f"import sys; from gridtwin.cli import app; {code}"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "False"
