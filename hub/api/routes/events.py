"""The event stream that keeps open pages up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from hub.api.deps import HubDep, Viewer, signed_in
from hub.api.live.feed import Feed, Listener
from hub.api.live.news import Sight

router = APIRouter(prefix="/api/v1", tags=["events"])

HEARTBEAT_S = 15.0
"""A comment at least this often tells proxies and browsers that the line lives."""


@router.get(
    "/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}}
)
async def events(
    request: Request,
    hub: HubDep,
    by: Viewer,
    since: Annotated[int | None, Query(ge=0, description="the `revision` of a list read before")] = None,
    last_event_id: Annotated[str | None, Header(max_length=32)] = None,
) -> StreamingResponse:
    """Server-sent events `pole`, `incident`, `command`, `command_batch`, `summary`.

    Their `id` is the revision to resume from.
    """
    known = int(last_event_id) if last_event_id is not None and last_event_id.isdecimal() else since
    hub.feed.check_room()
    return StreamingResponse(
        _stream(hub.feed, known, request, by.communes),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _stream(feed: Feed, known: int | None, request: Request, sight: Sight) -> AsyncIterator[bytes]:
    async with feed.listen(known, sight) as listener:
        async for batch in _batches(listener, request, sight):
            yield batch


async def _batches(listener: Listener, request: Request, sight: Sight) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    beat_at = loop.time() + HEARTBEAT_S
    yield b"retry: 2000\n\n"
    while True:
        try:
            async with asyncio.timeout_at(beat_at):
                batch = await listener.get()
        except TimeoutError:
            # A stream outlives the request that opened it: ask again whether its session holds, and for which
            # communes. A page that stands open must not keep it alive.
            user = await run_in_threadpool(signed_in, request, renew=False)
            if user is None or user.communes != sight:
                return
            beat_at = loop.time() + HEARTBEAT_S
            yield b": beat\n\n"
            continue
        if batch is None:
            return
        yield batch
