"""What is declared of a recorder that stopped or has gaps: noticed by the recorder itself, not by an analyser."""

from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.spec import AnalyserSpec, Severity, shipped

SPEC = AnalyserSpec(
    id=Behaviour.RECORDING_FAULT,
    settings=AnalyserSettings,
    factory=None,
    family="recording",
    rank=80,
    severity=Severity(2, long_s=600.0),
    words=shipped("recording_fault"),
    technical=True,
)
