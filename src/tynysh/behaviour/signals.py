"""Signals from scenes: what all analysers of one camera say of an instant, as far as they are on duty."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tynysh.behaviour.after_violence import AfterViolence
from tynysh.behaviour.analyser import Analyser
from tynysh.behaviour.signal import Behaviour, Signal
from tynysh.scene.scene import Scene


def always(_behaviour: Behaviour, _time_s: float) -> bool:
    """Every behaviour is watched for at any time."""
    return True


class SignalMaker:
    """One camera's analysers. on_duty: whether a behaviour is watched for at a stream time."""

    def __init__(
        self, analysers: Sequence[Analyser], on_duty: Callable[[Behaviour, float], bool] = always
    ) -> None:
        self._analysers = tuple(analysers)
        self._on_duty = on_duty
        self._duty_began_s: dict[Behaviour, float] = {}
        self._after_violence = AfterViolence()

    def observe(self, scene: Scene) -> tuple[Signal, ...]:
        """The signals of one scene, in the order of the analysers."""
        signals = [signal for analyser in self._analysers for signal in self._of(analyser, scene)]
        return self._after_violence.observe(signals, scene.time_s)

    def _of(self, analyser: Analyser, scene: Scene) -> Sequence[Signal]:
        """What `analyser` says, if its behaviour is watched for now. It sees every scene, so that it knows what it
        needs when its hours begin; but nothing is said to have begun before them.
        """
        signals = analyser.observe(scene)
        if not self._on_duty(analyser.behaviour, scene.time_s):
            self._duty_began_s.pop(analyser.behaviour, None)
            return ()
        began_s = self._duty_began_s.setdefault(analyser.behaviour, scene.time_s)
        return [
            replace(signal, since_s=began_s)
            if signal.since_s is not None and signal.since_s < began_s
            else signal
            for signal in signals
        ]
