"""What may be asked on the bus, and what is a bus?

Workers, the console and the supervisor know each other by name alone. No message holds a path or an address, so that
they need not be on one machine.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from tynysh.errors import TynyshError

VERSION: Final = 1
"""Goes up when what is asked or answered would be misunderstood by those who know the version before. Fields may be
added without: who does not know them passes over them.
"""

ANSWER_S = 5.0
"""A single answer is waited for so long."""


class BusError(TynyshError):
    """Somebody on the bus cannot be reached, broke off, or does not answer in time."""


class RequestRefusedError(BusError):
    """Who was asked does not know such a request, or speaks another version."""


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: Literal[1] = VERSION


class StatusRequest(_Request):
    """How is each of your cameras doing? One message: JSON, `CameraStatus` by camera id."""

    ask: Literal["status"] = "status"


class HealthRequest(_Request):
    """Are your cameras watched, and is what happens kept? One message: JSON, `WorkerHealth`."""

    ask: Literal["health"] = "health"


class WorkerHealth(BaseModel):
    """How a worker is doing.

    analysed_s_ago: seconds since a picture of each of its cameras was last analysed, None before the first, by camera
    id. events_wait_s: for how long the database has taken none of the events that wait, 0 where none does.
    journal_fault: why they cannot be put on disk meanwhile, None where they can.
    """

    analysed_s_ago: dict[str, float | None]
    events_wait_s: float
    journal_fault: str | None


class CrowdRequest(_Request):
    """What is known of the crowd on a camera now? One message: JSON, `CrowdMessage` or null."""

    ask: Literal["crowd"] = "crowd"
    camera: str


class CrowdsRequest(_Request):
    """The same of each of your cameras of which something is known, without maps. One message: JSON, by camera id."""

    ask: Literal["crowds"] = "crowds"


class PictureRequest(_Request):
    """What does a camera show? One message: an anonymised JPEG, empty where there is no picture."""

    ask: Literal["picture"] = "picture"
    camera: str


class LiveRequest(_Request):
    """Live video, anonymised: the MIME type as ASCII (`video/mp4; codecs="avc1.42c01e"`), the initialisation segment,
    then fragments, until the camera has no live video any more or whoever asked closes the stream.
    """

    ask: Literal["live"] = "live"
    camera: str


class PeopleRequest(_Request):
    """Where were people on a camera between two moments (Unix seconds), for a clip to be blurred by? One message: JSON
    as of `PeopleTimeline.samples`, null where the camera is not run.
    """

    ask: Literal["people"] = "people"
    camera: str
    start_s: float
    end_s: float


class StopRequest(_Request):
    """End, in good order. No message; the answer's end says that it was heard."""

    ask: Literal["stop"] = "stop"


Request = Annotated[
    StatusRequest
    | HealthRequest
    | CrowdRequest
    | CrowdsRequest
    | PictureRequest
    | LiveRequest
    | PeopleRequest
    | StopRequest,
    Field(discriminator="ask"),
]

Answer = Callable[[Request], AsyncGenerator[bytes, None]]
"""Whoever is on the bus answers a request by messages. Called on an event loop: nothing in it may block for long."""


class Bus(Protocol):
    """Carries requests to whoever is on it by name, and their answers back."""

    def serve(self, name: str, answer: Answer) -> AbstractAsyncContextManager[None]:
        """Be on the bus under `name` for as long as the block lasts. Who died under that name is replaced."""
        ...

    async def names(self) -> Sequence[str]:
        """Who is on the bus, in order. One who died without leaving may still be named."""
        ...

    def ask(self, name: str, request: Request) -> AsyncGenerator[bytes, None]:
        """The messages of the answer; closing it tells the other to stop. Raises BusError, RequestRefusedError."""
        ...


async def ask_all(bus: Bus, name: str, request: Request) -> list[bytes]:
    """All messages of an answer that comes to an end. Raises BusError where it does not within `ANSWER_S`."""
    try:
        async with asyncio.timeout(ANSWER_S), contextlib.aclosing(bus.ask(name, request)) as messages:
            return [message async for message in messages]
    except TimeoutError:
        raise BusError(f"{name} does not answer.") from None
