"""Tynysh: public-safety video analytics that detects acts and conditions, never identities."""

import os

__version__ = "0.1.0"

# Our matrices are small. NumPy's linear algebra would divide even these among all cores, whose threads then spin for
# tens of milliseconds in wait of more: that doubled the CPU time of the whole pipeline. Read when NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
