"""/metrics: how cameras, analysis and incidents are doing, for Prometheus."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping

from fastapi import APIRouter, Depends, Response
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from tynysh import __version__
from tynysh.api.context import Services
from tynysh.api.errors import ApiError
from tynysh.api.health import may_measure
from tynysh.media.camera_status import CameraState, CameraStatus
from tynysh.store.console_queries import EventTotals

router = APIRouter(tags=["operation"])

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Snapshot(Collector):
    """All figures of one moment, as Prometheus reads them."""

    def __init__(
        self, status: Mapping[str, CameraStatus], counts: EventTotals, streams: Mapping[str, int]
    ) -> None:
        self._status = status
        self._counts = counts
        self._streams = streams

    def collect(self) -> Iterator[Metric]:
        """The figures, in families."""
        yield InfoMetricFamily("tynysh_build", "Version that runs", {"version": __version__})
        yield from self._cameras()
        yield from self._incidents()
        streams = GaugeMetricFamily("tynysh_streams", "Streams open to browsers", labels=["kind"])
        for kind, number in sorted(self._streams.items()):
            streams.add_metric([kind], number)
        yield streams

    def _cameras(self) -> Iterator[Metric]:
        states = Counter(status.state for status in self._status.values())
        cameras = GaugeMetricFamily(
            "tynysh_cameras", "Cameras by state, of workers that answer", labels=["state"]
        )
        for state in CameraState:
            cameras.add_metric([state], states[state])
        frames = CounterMetricFamily(
            "tynysh_frames", "Frames by what became of them", labels=["camera", "stage"]
        )
        reconnects = CounterMetricFamily(
            "tynysh_reconnects", "Times a camera was lost and sought", labels=["camera"]
        )
        mended = CounterMetricFamily(
            "tynysh_timestamps_mended", "Timestamps that were wrong", labels=["camera"]
        )
        people = GaugeMetricFamily("tynysh_people", "People in the picture now", labels=["camera"])
        fps = GaugeMetricFamily("tynysh_frames_per_second", "Frames a second that arrive", labels=["camera"])
        for camera_id, status in sorted(self._status.items()):
            counters = status.counters
            for stage in ("read", "decoded", "dropped", "analysed"):
                frames.add_metric([camera_id, stage], getattr(counters, f"frames_{stage}"))
            reconnects.add_metric([camera_id], counters.reconnects)
            mended.add_metric([camera_id], counters.timestamps_mended)
            people.add_metric([camera_id], status.people)
            fps.add_metric([camera_id], status.fps)
        yield from (cameras, frames, reconnects, mended, people, fps)

    def _incidents(self) -> Iterator[Metric]:
        incidents = GaugeMetricFamily(
            "tynysh_incidents", "Incidents kept, by behaviour and state", labels=["behaviour", "state"]
        )
        for (behaviour, state), number in sorted(self._counts.incidents.items()):
            incidents.add_metric([behaviour, state], number)
        yield incidents
        yield SummaryMetricFamily(
            "tynysh_event_record_delay_seconds",
            "From the decision that there is an event to its being durable",
            count_value=self._counts.events,
            sum_value=self._counts.delay_s,
        )


def may_scrape(connection: HTTPConnection, services: Services) -> None:
    """The permission of /metrics: this machine itself, the bearer token, or `metrics.read`. Raises 401."""
    if not may_measure(connection, services):
        raise ApiError(401, "signed_out", headers={"WWW-Authenticate": "Bearer"})


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
    dependencies=[Depends(may_scrape)],
)
async def metrics(services: Services) -> Response:
    """Figures in Prometheus's text format. Nothing in them is about a person."""
    status, counts = await asyncio.gather(services.statuses.latest(), services.counts.latest())
    streams = {kind: services.streams.open(kind) for kind in ("updates", "live")}
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Snapshot(status, counts, streams))
    ProcessCollector(registry=registry)
    body = await run_in_threadpool(generate_latest, registry)
    return Response(body, headers={"Content-Type": CONTENT_TYPE})
