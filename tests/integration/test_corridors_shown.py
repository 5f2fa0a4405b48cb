"""Whatever shows or carries away a run does so without a power flow too, and says what there is not."""

import csv
import http.client
import json
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
import uvicorn

from gridtwin import api
from gridtwin.errors import GridtwinError, InputError, ResultsError
from gridtwin.exports.export import export
from gridtwin.exports.registry import FORMATS
from gridtwin.inputs.load import load_study
from gridtwin.report.figures import FIGURES
from gridtwin.report.first_screen import checks
from gridtwin.report.language import words_in
from gridtwin.report.page import page
from gridtwin.results.saved_run import open_run
from gridtwin.view.app import create_app
from gridtwin.view.settings import HOST, Settings

CORRIDORS = Path(__file__).parents[1] / "scenarios" / "corridors.yaml"
OF_AC = ("pandapower", "matpower")
PAGES = (
    *("", "/figures", "/map", "/sites/0", "/lines", "/buses", "/buses/0", "/units/0", "/stores/0", "/links"),
    *("/links/0", "/jobs", "/findings", "/ledgers", "/inputs", "/steps/link_mw/0", "/steps/loading_percent/0"),
    *("/figures/corridors", "/figures/grid_map?lang=zh", "/export/netcdf"),
)


@pytest.fixture(scope="module")
def run(made_once):
    """The run that test_corridors.py makes as well."""
    study = load_study(CORRIDORS, ("variants=[windy]", "policy=asap", "dispatch.balancing=province"))
    (path,) = made_once("corridors_asap_province", lambda parent: api.run(study, parent)).iterdir()
    return open_run(path)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "postgresql" and name not in OF_AC])
def test_a_format_carries_it(run, name, tmp_path):
    written = export(run, name, tmp_path / "out")
    assert written.bytes > 0


@pytest.mark.parametrize("name", OF_AC)
def test_a_power_flow_that_was_never_solved_is_not_written(run, name, tmp_path):
    with pytest.raises(ResultsError, match="power_flow: transport") as caught:
        export(run, name, tmp_path / "out")
    assert "--to pypsa" in str(caught.value)


def test_pypsa_gets_links_with_their_limits_both_ways(run, tmp_path):
    export(run, "pypsa", tmp_path / "out")
    with (tmp_path / "out" / "links.csv").open(encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    back = rows["west_hills backward"]
    assert (back["bus0"], back["bus1"], float(back["p_nom"]), float(back["efficiency"])) == ("hills", "west", 250, 0.99)
    assert float(rows["west_coast backward"]["p_nom"]) == 0
    assert not (tmp_path / "out" / "buses-v_mag_pu.csv").exists()


def test_geojson_draws_corridors_between_buses(run, tmp_path):
    has_places = np.isfinite(run.inputs("buses")["lat"]).all()
    assert has_places
    export(run, "geojson", tmp_path / "out")
    features = json.loads((tmp_path / "out").read_text(encoding="utf-8"))["features"]
    links = [feature for feature in features if feature["properties"]["kind"] == "link"]
    assert [link["geometry"]["type"] for link in links] == ["LineString"] * len(run.facts.coords["link"])


def test_iamc_tells_what_areas_send_each_other(run, tmp_path):
    """All exports together are what the links lose."""
    export(run, "iamc", tmp_path / "out")
    with (tmp_path / "out").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["variable"].startswith("Trade|")]
    assert {row["region"] for row in rows} == set(run.inputs("buses")["area"].tolist())
    lost = (np.abs(run.values("link_mw")) * run.inputs("links")["loss"]).sum() * run.step_h
    assert sum(float(row["value"]) for row in rows) == pytest.approx(lost)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_report_has_corridors_and_says_what_there_is_not(run, lang):
    words = words_in(lang)
    text = page([run], words)
    for key in ("corridors.title", "absent.transport.binding_lines", "absent.transport.outages"):
        assert words(key) in text
    told = [check.text for check in checks(run, words)]
    assert words("trust.transport", links=len(run.facts.coords["link"])) in told
    assert words("trust.no_findings") not in told


def test_the_table_of_corridors_is_the_key_figures(run):
    words = words_in("en")
    table = FIGURES["corridors"](run, words).table.columns
    assert np.nansum(table["rent"]) == pytest.approx(run.kpis["corridor_rent_cost"], rel=1e-5)
    assert np.nansum(table["off the contract"]) == pytest.approx(run.kpis["deviation_mwh"], rel=1e-5)
    assert np.sum(table["full"] + table["full, back"]) == pytest.approx(run.kpis["corridor_full_h"])


def test_the_map_draws_links(run):
    drawn = FIGURES["grid_map"](run, words_in("en"))
    assert list(drawn.table.columns["link"]) == list(run.facts.coords["link"])
    assert any(len(trace["x"]) > 1 for trace in drawn.plot["data"] if trace["mode"] == "lines")


@pytest.fixture(scope="module")
def get(run):
    """Ask a server over the folder of the run."""
    listener = socket.socket()
    listener.bind((HOST, 0))
    settings = Settings(run.path.parent, listener.getsockname()[1])
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        thread.join(0.01)

    def ask(path):
        connection = http.client.HTTPConnection(HOST, settings.port, timeout=60)
        connection.request("GET", path, headers={"Cookie": f"{settings.cookie}={settings.session}"})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, text

    yield ask
    server.should_exit = True
    thread.join(20)
    listener.close()
    app.state.workspace.queue.close(patience_s=0.5)


@pytest.mark.parametrize("part", PAGES)
def test_every_page_opens(get, run, part):
    assert get(f"/runs/{run.run_id}{part}")[0] == 200


def test_pages_say_that_no_power_flow_was_solved(get, run):
    for part in ("", "/findings"):
        assert "No power flow was solved" in get(f"/runs/{run.run_id}{part}")[1]
    assert "voltage" not in get(f"/runs/{run.run_id}/buses")[1]


def test_n1_is_refused_where_it_was_asked_for():
    with pytest.raises(InputError, match=r"security\.n1: N-1 takes out lines"):
        load_study(CORRIDORS, ("security.n1=report",))


def test_there_is_no_bound_for_contracts_and_daily_commitment():
    with pytest.raises(GridtwinError, match=r"keep contracts.*committed by the day"):
        api.regret(load_study(CORRIDORS))
