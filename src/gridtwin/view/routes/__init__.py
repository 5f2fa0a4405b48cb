"""What the page answers, one module for each of its parts."""

from gridtwin.view.routes import activity, assets, compared, jobs, network, parts, run, runs

__all__ = ["ROUTERS"]

ROUTERS = tuple(module.router for module in (runs, compared, run, network, jobs, activity, assets, parts))
