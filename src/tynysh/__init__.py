"""Tynysh: public-safety video analytics that detects acts and conditions, never identities.

As a library: `analyze` gives the events of a video; `AnalyserSpec`, `Scene`, `Signal` and `check_analyser` are for
those who write an analyser (docs/developer/analysers.md). They are loaded when they are first asked for.
"""

import os
import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    # `python -m tynysh`: nothing more is imported from the working folder, which may be anybody's.
    del sys.path[0]

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tynysh.behaviour.checking import check_analyser
    from tynysh.behaviour.event import Event
    from tynysh.behaviour.signal import Reason, Signal
    from tynysh.behaviour.spec import AnalyserSpec
    from tynysh.errors import TynyshError
    from tynysh.evaluation.analysis import analyze
    from tynysh.scene.scene import Scene

__version__ = "0.2.0"
__all__ = ["AnalyserSpec", "Event", "Reason", "Scene", "Signal", "TynyshError", "analyze", "check_analyser"]

# Our matrices are small. NumPy's linear algebra would divide even these among all cores, whose threads then spin for
# tens of milliseconds in wait of more: that doubled the CPU time of the whole pipeline. Read when NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_HOMES = {
    "AnalyserSpec": "behaviour.spec",
    "Event": "behaviour.event",
    "Reason": "behaviour.signal",
    "Scene": "scene.scene",
    "Signal": "behaviour.signal",
    "TynyshError": "errors",
    "analyze": "evaluation.analysis",
    "check_analyser": "behaviour.checking",
}


def __getattr__(name: str) -> Any:
    """Loads what is public when it is first asked for: the command line starts without."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tynysh' has no attribute {name!r}")
    return getattr(import_module(f"tynysh.{_HOMES[name]}"), name)
