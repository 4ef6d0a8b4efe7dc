"""The way from an HTTP request to a method of the service and back, in front of BentoML's own.

BentoML gives processes, sockets, types, clients and the Bento; its request path replaces the bodies of some errors, wraps others,
reads bodies of any size and costs more than a prediction does. So the gateway answers what belongs to the API: it calls the
same methods with the same types, and every error has one shape, ``{"error": "..."}``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import bentoml
from pydantic import ValidationError

import models
from serving.answers import Answer, Models, Problem, body_type
from serving.champions import Champions, NotLoadedError
from serving.complaints import complaint
from serving.metrics import CONTENT_TYPE, Metrics
from serving.openapi import document

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Holds a root_cause query with its most lines (50,000) of 600 bytes each."""
MAX_QUERIES = 1_000
MAX_WAITING = 64
"""Requests that may wait for a thread before the next is told to come back."""
INLINE_SECONDS = 0.005
"""Up to here an answer is worked out on the event loop: handing it to a thread costs more than the others' wait."""

_BENTOML_PATHS = ("/static_content/", "/schema.json")


class Reply(NamedTuple):
    """An answer that is ready to be sent."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    media_type: bytes = b"application/json"
    queries: int = 0


class Route:
    """One model's method, with the type of its body.

    Parameters
    ----------
    slug
        The model's.
    method
        Takes the queries, gives the answer.
    """

    def __init__(self, slug: str, method: Callable[[list[Any]], Answer[Any]]) -> None:
        self.slug = slug
        self.body = body_type(slug)
        self._method = method
        self._seconds_per_byte = float("inf")

    def is_quick(self, body: bytes) -> bool:
        """Whether an answer takes less than `INLINE_SECONDS`, judged by earlier ones; the first is not."""
        return self._seconds_per_byte * len(body) < INLINE_SECONDS

    def respond(self, body: bytes) -> Reply:
        """Read, ask, write; never raises."""
        start = thread_time()
        try:
            queries = self.body.model_validate_json(body).queries  # type: ignore[attr-defined]
            if len(queries) > MAX_QUERIES:
                return problem(413, f"expected at most {MAX_QUERIES} queries, got {len(queries)}: send them in several requests")
            answer = self._method(queries)
            reply = Reply(200, answer.__pydantic_serializer__.to_json(answer), queries=len(queries))
        except ValidationError as error:
            return problem(400, complaint(error, body))
        except NotLoadedError as error:
            return problem(503, str(error), retry_after=5)
        except Exception:
            return self._failed()
        self._learn((thread_time() - start) / max(len(body), 1))
        return reply

    def _learn(self, seconds_per_byte: float) -> None:
        known = self._seconds_per_byte
        self._seconds_per_byte = seconds_per_byte if known == float("inf") else 0.9 * known + 0.1 * seconds_per_byte

    def _failed(self) -> Reply:
        incident = uuid4().hex[:12]
        logger.exception("%s failed, incident %s", self.slug, incident)
        return problem(500, f"{self.slug} failed, which is a bug: the server's log has the details under incident {incident}")


class Gateway:
    """ASGI application that answers the API and leaves the rest (the page at ``/``) to BentoML."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._metrics = Metrics()
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="predict")
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path == "/" or path.startswith(_BENTOML_PATHS):
            await self._app(scope, receive, send)
        elif path in self._pages:
            await _send(send, self._page(scope["method"], path), with_body=scope["method"] != "HEAD")
        elif scope["method"] != "POST" and path.removeprefix("/v1/") in self._routes:
            await _send(send, _wrong_method(path, "POST"))
        else:
            await self._predict(path.removeprefix("/v1/"), scope, receive, send)

    @cached_property
    def _champions(self) -> Champions:
        champions: Champions = bentoml.get_current_service().champions
        return champions

    @cached_property
    def _routes(self) -> dict[str, Route]:
        service = bentoml.get_current_service()
        apis = service.bento_service.apis
        return {slug: Route(slug, apis[slug].func.__get__(service)) for slug in self._champions.slugs}

    @cached_property
    def _pages(self) -> dict[str, Callable[[], Reply]]:
        return {
            "/livez": lambda: Reply(200, b"{}"),
            "/readyz": self._readyz,
            "/metrics": lambda: Reply(200, self._metrics.page(), media_type=CONTENT_TYPE.encode()),
            "/v1/models": lambda: Reply(200, Models(models=self._champions.status()).model_dump_json().encode()),
            "/docs.json": lambda: Reply(200, self._document),
        }

    @cached_property
    def _document(self) -> bytes:
        apis = bentoml.get_current_service().bento_service.apis
        return json.dumps(document({slug: apis[slug].doc for slug in self._routes})).encode()

    def _page(self, method: str, path: str) -> Reply:
        return self._pages[path]() if method in {"GET", "HEAD"} else _wrong_method(path, "GET")

    def _readyz(self) -> Reply:
        missing = self._champions.missing()
        return problem(503, "; ".join(missing), retry_after=5) if missing else Reply(200, b"{}")

    async def _predict(self, slug: str, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(slug)
        if route is None:
            return await _send(send, self._not_found(scope["path"]))
        body = await _body(scope, receive)
        start = perf_counter()
        reply = await self._respond(route, body) if body is not None else problem(413, f"expected a body of at most {MAX_BODY_BYTES} bytes")
        self._metrics.count(slug, reply.status, reply.queries, perf_counter() - start)
        return await _send(send, reply)

    async def _respond(self, route: Route, body: bytes) -> Reply:
        if route.is_quick(body):
            return route.respond(body)
        if self._waiting >= MAX_WAITING:
            return problem(429, f"{MAX_WAITING} requests are waiting already: come back in a moment", retry_after=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, route.respond, body)
        finally:
            self._waiting -= 1

    def _not_found(self, path: str) -> Reply:
        slug = path.removeprefix("/v1/")
        if slug in models.MODELS:
            return problem(404, f"this server was started without {slug}: add it to FORETELL_MODELS or --models")
        served = ", ".join(f"/v1/{slug}" for slug in self._routes)
        return problem(404, f"expected one of {served}, /v1/models, /livez, /readyz, /metrics, /docs.json, got {path}")


def problem(status: int, error: str, *, retry_after: int | None = None) -> Reply:
    """An error, in the one shape."""
    headers = ((b"retry-after", str(retry_after).encode()),) if retry_after is not None else ()
    return Reply(status, Problem(error=error).model_dump_json().encode(), headers)


def _wrong_method(path: str, allowed: str) -> Reply:
    return problem(405, f"expected {allowed} {path}")._replace(headers=((b"allow", allowed.encode()),))


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body; ``None`` if it is larger than `MAX_BODY_BYTES`."""
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        return None
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body") and len(body) <= MAX_BODY_BYTES:
        message = await receive()
        body += message.get("body", b"")
    return body if len(body) <= MAX_BODY_BYTES else None


async def _send(send: Send, reply: Reply, *, with_body: bool = True) -> None:
    headers = [(b"content-type", reply.media_type), (b"content-length", str(len(reply.body)).encode()), *reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body if with_body else b""})
