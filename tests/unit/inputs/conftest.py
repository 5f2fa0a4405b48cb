"""A model small enough to check by hand: three buses in a ring, three units, two sites, two days of hours."""

from pathlib import Path

import pytest

FILES = {
    "models/tiny/model.yaml": """\
name: tiny
currency: EUR
grid: {base_mva: 100, buses: buses.csv, branches: branches.csv, links: links.csv, slack_bus: 1, slack_vm_pu: 1.02}
units: {table: units.csv, segments: segments.csv}
profiles:
  start: 2020-01-01T00:00:00+08:00
  load: {file: load.csv}
  availability: {file: availability.csv}
  temperature: {file: temperature.csv}
compute:
  classes: {general: {}, serving: {service: true, max_latency_oneway_ms: 5}}
  sites: sites.csv
  nodes: nodes.csv
  origins: origins.csv
  wan: wan.csv
""",
    "models/tiny/buses.csv": """\
bus,vn_kv,area,load_mw,load_mvar,load_share,vm_min_pu,vm_max_pu
1,138,north,10,2,0.25,0.95,1.05
2,138,north,30,3,0.75,0.95,1.05
3,138,south,0,0,1,0.95,1.05
""",
    "models/tiny/branches.csv": """\
line,from_bus,to_bus,r_pu,x_pu,b_pu,rate_mw,rate_long_mw,rate_short_mw
L12,1,2,0.01,0.1,0.02,100,110,120
L23,2,3,0.01,0.1,0.02,,,
L13,1,3,0.01,0.1,0.02,100,110,120
""",
    "models/tiny/links.csv": "link,from_bus,to_bus,p_nom_mw,schedule_mw\nDC,1,3,20,5\n",
    "models/tiny/units.csv": """\
unit,bus,technology,p_min_mw,p_max_mw,q_min_mvar,q_max_mvar,vm_set_pu,ramp_mw_per_h,holds_voltage,always_committed,\
quick_start,renewable,curtailable,profile
coal,1,Coal,10,40,-10,20,1.02,60,true,false,false,false,false,
wind,2,Wind,0,50,0,0,1,,false,false,false,true,true,breeze
cond,3,Sync_Cond,0,0,-20,20,1.01,,true,true,false,false,false,
""",
    "models/tiny/segments.csv": """\
unit,p_from_mw,p_to_mw,cost_per_mwh,co2_kg_per_mwh
coal,0,10,30,900
coal,10,20,20,700
coal,20,40,35,800
""",
    "models/tiny/load.csv": "north,south\n" + "".join(f"{100 + hour},{hour}\n" for hour in range(240)),
    "models/tiny/availability.csv": "breeze\n" + "".join(f"{hour % 24}\n" for hour in range(240)),
    "models/tiny/temperature.csv": "town\n" + "10\n" * 240,
    "models/tiny/sites.csv": """\
site,bus,station,cooling,power_factor,connection_mw
east,1,town,evaporative,0.98,5
west,3,town,free_air,0.95,
""",
    "models/tiny/nodes.csv": """\
site,compute_class,hardware,nodes
east,general,cpu_node,100
east,serving,inference_node,10
west,general,cpu_node,200
west,serving,inference_node,30
""",
    "models/tiny/origins.csv": "origin\nhere\nthere\n",
    "models/tiny/wan.csv": """\
origin,site,latency_oneway_ms,bandwidth_gbps,price_per_gb
here,east,1,,0
here,west,9,100,0.01
there,east,3,100,0.02
there,west,1,100,0.02
""",
    "scenarios/day.yaml": """\
model: tiny
time: {start: 2020-01-02T06:00:00+08:00, duration: 1d, step: 1h, window: 12h, horizon: 24h}
workload:
  delay_classes: {prompt: 1h, day: 24h}
  duration_bins: [1h, 4h]
  batch:
    - name: training
      trace: jobs.csv
      compute_class: general
      jobs_per_day: 100
      nodes_per_core: 1
      origin_shares: {here: 0.5, there: 0.5}
      delay_shares: {prompt: 1}
  services:
    - name: chat
      compute_class: serving
      requests_per_s: {here: 100, there: 200}
      throughput_per_node: 20
      target_utilization: 0.5
""",
    "scenarios/jobs.csv": "submit_s,runtime_s,cores\n"
    + "".join(f"{3600 * h},{600 * (1 + h % 6)},{1 + h % 5}\n" for h in range(24)),
}


STORES = {
    "stores.csv": """\
store,bus,technology,site,charge_mw,discharge_mw,energy_mwh,efficiency_charge,efficiency_discharge,initial_share,inflow
cell,1,Battery,east,2,1,4,0.9,0.8,0.25,
lake,2,Reservoir,,0,0,200,1,1,0.5,river
""",
    "inflow.csv": "river\n" + "".join(f"{hour % 48}\n" for hour in range(240)),
    "reserve.csv": "up_mw\n" + "".join(f"{hour % 24}\n" for hour in range(240)),
    "came_true.csv": "breeze\n" + "".join(f"{(hour + 5) % 24}\n" for hour in range(240)),
}


TERMS = {
    "tariffs.csv": "tariff,month,period,from_h,to_h\n"
    + "".join(
        f"city,{month},valley,0,8\ncity,{month},peak,8,11.5\ncity,{month},flat,11.5,24\n" for month in range(1, 13)
    ),
    "tariff_prices.csv": "tariff,period,price_per_mwh\ncity,valley,20\ncity,flat,50\ncity,peak,90\n",
    "supply.csv": """\
contract,site,kind,unit,p_mw,price_per_mwh,name_zh
ppa,east,contract,wind,10,25,购电协议
pool,east,aggregated,wind,5,30,集合交易
pool,west,aggregated,sun,4,31,集合交易
fence,west,direct,sun,6,22,绿电直连
""",
    "sites.csv": """\
site,bus,station,cooling,power_factor,connection_mw,region,tariff,pue_limit,rack_use_min,green_share_min,racks
east,1,town,evaporative,0.98,5,,city,1.25,0.65,0.8,400
west,3,town,free_air,0.95,,far,,,,,
""",
}


class Lab:
    """A scenario and its model in a folder of their own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in FILES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")

    @property
    def scenario(self) -> Path:
        return self.root / "scenarios" / "day.yaml"

    def add_stores(self) -> None:
        """Add a battery behind a meter, a lake that the unit `hydro` draws on, reserve, and wind that comes true."""
        for name, text in STORES.items():
            (self.root / "models/tiny" / name).write_text(text, encoding="utf-8")
        self.edit("model.yaml", "profiles:\n", "stores: {table: stores.csv}\nprofiles:\n")
        more = "  inflow: {file: inflow.csv}\n  reserve: {file: reserve.csv}\n"
        self.edit(
            "model.yaml", "compute:\n", f"{more}  real_time: {{availability: {{file: came_true.csv}}}}\ncompute:\n"
        )
        header, *rows = (self.root / "models/tiny/units.csv").read_text(encoding="utf-8").splitlines()
        hydro = "hydro,2,Hydro,0,30,0,0,1,,false,false,true,true,true,,lake"
        text = "\n".join([f"{header},store", *(f"{row}," for row in rows), hydro])
        (self.root / "models/tiny/units.csv").write_text(text + "\n", encoding="utf-8")

    def add_terms(self) -> None:
        """Add a tariff for one site, green supply, and a unit behind the meter of the other."""
        for name, text in TERMS.items():
            (self.root / "models/tiny" / name).write_text(text, encoding="utf-8")
        more = "tariffs: {periods: tariffs.csv, prices: tariff_prices.csv}\nsupply: {table: supply.csv}\n"
        self.edit("model.yaml", "profiles:\n", f"{more}profiles:\n")
        with (self.root / "models/tiny/units.csv").open("a", encoding="utf-8") as units:
            units.write("sun,3,PV,0,10,0,0,1,,false,false,false,true,true,\n")

    def edit(self, name: str, old: str, new: str) -> None:
        path = next(path for path in self.root.rglob(name))
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Lab(tmp_path)


@pytest.fixture
def regions(lab):
    """The tiny model with a region and a place for each origin and site: here and east in the North, the rest South."""
    folder = lab.root / "models/tiny"
    (folder / "origins.csv").write_text("origin,region,lat,lon\nhere,North,40,116\nthere,South,31,121\n")
    (folder / "sites.csv").write_text(
        "site,bus,station,cooling,power_factor,connection_mw,region,tier,pue,lat,lon\n"
        "east,1,town,evaporative,0.98,5,North,edge,,40.1,116\n"
        "west,3,town,free_air,0.95,,South,hub,1.3,31.1,121\n"
    )
    lab.edit("wan.csv", "there,east,3", "there,east,7")
    lab.edit("model.yaml", "max_latency_oneway_ms: 5", "max_latency_oneway_ms: 20")
    return lab
