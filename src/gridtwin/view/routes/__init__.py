"""What the page answers, one module for each of its parts."""

from gridtwin.view.routes import activity, assets, compared, drawn, jobs, network, parts, run, runs

__all__ = ["ROUTERS"]

ROUTERS = tuple(module.router for module in (runs, compared, run, drawn, network, jobs, activity, assets, parts))
