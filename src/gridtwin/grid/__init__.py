"""The network: pandapower as the model of record, AC power flow in batch, matrices for a linear dispatch.

Import from the modules themselves; `matrices`, `losses` and `findings` need neither pandapower nor lightsim2grid::

    network    GridData -> pandapower net, its admittances, one power flow by `runpp`
    newton     many power flows on one admittance matrix; reactive limits
    ac         injections -> AcSolution
    matrices   PTDF, LODF, DC angles
    losses     losses and loss factors of DC flows
    findings   what a solution breaks
"""
