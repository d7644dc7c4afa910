"""How many people are in one place of a site, from what the workers say of its cameras, over restarts?"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tynysh.crowd.occupancy import Occupancy
from tynysh.scene.crowd import PICTURE, Estimate, LineCount
from tynysh.site.places import Place, PlaceGate
from tynysh.site.site import Site
from tynysh.store.queries.places import Settled

Crowds = Mapping[str, Mapping[str, Any]]
"""What is known of the crowd on each camera now, by camera id (`bus.workers.CrowdMessage`)."""


class PlaceCount:
    """Counts the people in one place.

    With gates, who came in and did not leave (`crowd.occupancy`); views of the place can only raise that, as they need
    not show all of it. Without, the sum of its views.

    before: what was settled last, before a restart. Counts of lines run on from when a camera was opened, so what
    passed while nobody added it up is made up for; if the camera too was opened anew, since then.
    """

    def __init__(self, site: Site, place: Place, before: Settled | None, now: float) -> None:
        self._site = site
        self._place = place
        self._zone = ZoneInfo(site.time_zone)
        memory: Mapping[str, Any] = {} if before is None else before.memory
        # What passed a line while it was no gate, or one the other way round, is not to be made up for.
        gates = {_key(gate) for gate in place.gates}
        self._lines: dict[str, _LineCounts] = {
            key: _LineCounts(*counts) for key, counts in memory.get("lines", {}).items() if key in gates
        }
        self._looked_at = now if before is None else before.at
        self._occupancy = Occupancy(self._looked_at, None if before is None else before.count)
        # What was heard last is where counting goes on from.
        self._occupancy.observe(
            self._looked_at, {key: LineCount(key, line.ins, line.outs) for key, line in self._lines.items()}
        )

    def observe(self, now: float, crowds: Crowds) -> Settled:
        """The place at `now` (Unix seconds, not going back), with what to go on from after a restart."""
        seen = self._in_view(crowds)
        count = self._by_gates(now, crowds, seen) if self._place.gates else seen
        # Gates count people one by one; views may show them too close together to be told apart.
        rough = count is seen and any(each["rough"] for each in self._views(crowds))
        self._looked_at = now
        lines = {key: [line.ins, line.outs, line.opened_at] for key, line in self._lines.items()}
        return Settled(now, count, {"lines": lines, "rough": rough})

    def _by_gates(self, now: float, crowds: Crowds, seen: Estimate | None) -> Estimate:
        if self._emptied(now):
            self._occupancy.empty()
        found: dict[str, LineCount | None] = {}
        for gate in self._place.gates:
            key = _key(gate)
            counted = self._line_counts(gate, crowds)
            found[key] = None if counted is None else LineCount(key, counted.ins, counted.outs)
            if counted is not None:
                before = self._lines.get(key)
                if before is not None and before.opened_at != counted.opened_at:
                    # Opened anew: all that it counted since then is new, however much that is.
                    self._occupancy.observe(now, {key: LineCount(key, 0, 0)})
                self._lines[key] = counted
        count = self._occupancy.observe(now, found)
        return self._occupancy.anchor(seen) if seen is not None and seen.low > count.high else count

    def _line_counts(self, gate: PlaceGate, crowds: Crowds) -> "_LineCounts | None":
        message = crowds.get(self._site.camera(gate.camera).id)
        if message is None:
            return None
        line = next((each for each in message["lines"] if each["name"] == gate.line), None)
        if line is None:
            return None
        ins, outs = line["ins"], line["outs"]
        return (
            _LineCounts(outs, ins, message["opened_at"])
            if gate.reversed
            else _LineCounts(ins, outs, message["opened_at"])
        )

    def _in_view(self, crowds: Crowds) -> Estimate | None:
        """The people in all views together; None where there are none, or one of them is not seen now."""
        seen = list(self._views(crowds))
        if not seen or len(seen) < len(self._place.views):
            return None
        return Estimate(
            sum(each["count"] for each in seen),
            sum(each["low"] for each in seen),
            sum(each["high"] for each in seen),
        )

    def _views(self, crowds: Crowds) -> Iterator[Mapping[str, Any]]:
        for view in self._place.views:
            message = crowds.get(self._site.camera(view.camera).id)
            yield from (
                place
                for place in (message["places"] if message else ())
                if place["name"] == (view.zone or PICTURE)
            )

    def _emptied(self, now: float) -> bool:
        """Whether the hour at which nobody is inside has come since the last look."""
        if self._place.empty_at is None:
            return False
        local = datetime.fromtimestamp(now, self._zone)
        today = datetime.combine(local.date(), self._place.empty_at, self._zone)
        last = today if today <= local else today - timedelta(days=1)
        return self._looked_at < last.timestamp() <= now


def _key(gate: PlaceGate) -> str:
    return f"{gate.camera}/{gate.line}" + ("/reversed" if gate.reversed else "")


class _LineCounts:
    """What a gate's line counted since its camera was opened (Unix seconds)."""

    __slots__ = ("ins", "opened_at", "outs")

    def __init__(self, ins: int, outs: int, opened_at: float) -> None:
        self.ins = ins
        self.outs = outs
        self.opened_at = opened_at
