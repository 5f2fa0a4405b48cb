"""The queue and its machines: real jobs carried out by SimPy between two decisions."""
