"""The way from an HTTP request to a method of the service and back, in front of BentoML's own.

BentoML gives processes, sockets, types, clients and the Bento; its request path replaces the bodies of some errors, wraps others,
reads bodies of any size and costs more than a prediction does. So the gateway answers what belongs to the API: it calls the
same methods with the same types, and every error has one shape, ``{"error": "..."}``.
"""

from __future__ import annotations

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

import bentoml

import models
from models.errors import StoreError
from serving.answers import Models
from serving.champions import Champions
from serving.intake import EventsRoute, FeedbackRoute, IntakeRoute
from serving.metrics import CONTENT_TYPE, Metrics
from serving.openapi import document
from serving.routes import PredictionRoute, QuestionRoute, Reply, Route, problem
from serving.store.writer import PATIENCE_SECONDS
from serving.views import ViewRoute, id_in, path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Holds a root_cause query with its most lines (50,000) of 600 bytes each."""
MAX_WAITING = 64
"""Requests that may wait for a thread before the next is told to come back."""

_BENTOML_PATHS = ("/static_content/", "/schema.json")


T = TypeVar("T")


class Gateway:
    """ASGI application that answers the API and leaves the rest (the page at ``/``) to BentoML."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._metrics = Metrics()
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="predict")
        self._intake = ThreadPoolExecutor(2, thread_name_prefix="intake")
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path == "/" or path.startswith(_BENTOML_PATHS):
            await self._app(scope, receive, send)
        elif path in self._pages:
            await _send(send, self._page(scope["method"], path), with_body=scope["method"] != "HEAD")
        elif (route := self._route(path)) is None:
            await _send(send, self._not_found(path))
        elif scope["method"] not in route.methods:
            await _send(send, _wrong_method(path, *route.methods))
        else:
            await _send(send, await self._ask(route, scope, receive), with_body=scope["method"] != "HEAD")

    @cached_property
    def _champions(self) -> Champions:
        champions: Champions = bentoml.get_current_service().champions
        return champions

    @cached_property
    def _routes(self) -> dict[str, Route]:
        """By path."""
        service, champions = bentoml.get_current_service(), self._champions
        service.recorder.start(self._metrics.count_dropped)
        routes: list[Route] = []
        for slug in champions.slugs:
            routes.append(PredictionRoute(slug, service.bento_service.apis[slug].func.__get__(service), service.recorder.note))
            routes += [QuestionRoute(slug, question, champions.ask) for question in models.get(slug).contract.questions]
            if models.get(slug).contract.event is not None:
                routes.append(EventsRoute(slug, service.store, partial(champions.model, slug)))
        routes.append(FeedbackRoute(service.store, service.keep))
        return {f"/v1/{route.name}": route for route in routes}

    @cached_property
    def _views(self) -> dict[str, ViewRoute]:
        """By path, with an asterisk for the id of a prediction."""
        store = bentoml.get_current_service().store
        routes = [ViewRoute(slug, view, store.prediction) for slug in self._champions.slugs for view in models.get(slug).contract.views]
        return {route.path: route for route in routes}

    def _route(self, path: str) -> Route | None:
        found = self._routes.get(path)
        if found is None and id_in(path) is not None:
            _, _, slug, _, name = path.split("/")
            return self._views.get(path_of(slug, "*", name))
        return found

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
        return json.dumps(document({slug: apis[slug].doc for slug in self._champions.slugs})).encode()

    def _page(self, method: str, path: str) -> Reply:
        return self._pages[path]() if method in {"GET", "HEAD"} else _wrong_method(path, "GET")

    def _readyz(self) -> Reply:
        missing = self._champions.missing()
        return problem(503, "; ".join(missing), retry_after=5) if missing else Reply(200, b"{}")

    async def _ask(self, route: Route, scope: Scope, receive: Receive) -> Reply:
        if isinstance(route, ViewRoute):
            body: bytes | None = route.body_of(id_in(scope["path"]) or "")
        elif scope["method"] == "POST" or not isinstance(route, QuestionRoute):
            body = await _body(scope, receive)
        else:
            body = route.body_of(scope["query_string"])
        start = perf_counter()
        reply = await self._respond(route, body) if body is not None else problem(413, f"expected a body of at most {MAX_BODY_BYTES} bytes")
        self._metrics.count(route.name, reply.status, reply.queries, perf_counter() - start)
        return reply

    async def _respond(self, route: Route, body: bytes) -> Reply:
        if isinstance(route, IntakeRoute):
            return await self._keep(route, body)
        if route.is_quick(body):
            return route.respond(body)
        return await self._on_a_thread(self._threads, route.respond, body)

    async def _keep(self, route: IntakeRoute, body: bytes) -> Reply:
        """Read on a thread; wait for the disk on none."""
        taken = await self._on_a_thread(self._intake, route.take, body)
        if isinstance(taken, Reply):
            return taken
        try:
            return taken.reply(await asyncio.wait_for(asyncio.wrap_future(taken.future), PATIENCE_SECONDS))
        except StoreError as error:
            return problem(503, str(error), retry_after=1)
        except TimeoutError:
            return problem(
                503,
                f"the store did not say within {PATIENCE_SECONDS:.0f} s whether it kept this: send it again, with the same ids",
                retry_after=1,
            )
        except Exception:
            return route.failed()

    async def _on_a_thread(self, threads: ThreadPoolExecutor, function: Callable[[bytes], T], body: bytes) -> T | Reply:
        if self._waiting >= MAX_WAITING:
            return problem(429, f"{MAX_WAITING} requests are waiting already: come back in a moment", retry_after=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, function, body)
        finally:
            self._waiting -= 1

    def _not_found(self, path: str) -> Reply:
        slug = path.removeprefix("/v1/").partition("/")[0]
        if slug in models.MODELS and slug not in self._champions.slugs:
            return problem(404, f"this server was started without {slug}: add it to FORETELL_MODELS or --models")
        pages = [] if slug in models.MODELS else ["/v1/models", "/livez", "/readyz", "/metrics", "/docs.json"]
        routes = self._routes | {known.replace("*", "<prediction_id>"): view for known, view in self._views.items()}
        served = [known for known, route in routes.items() if pages or route.name.partition("/")[0] == slug]
        return problem(404, f"expected one of {', '.join([*served, *pages])}, got {path}")


def _wrong_method(path: str, *allowed: str) -> Reply:
    wanted = " or ".join(method for method in allowed if method != "HEAD")
    return problem(405, f"expected {wanted} {path}")._replace(headers=((b"allow", ", ".join(allowed).encode()),))


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
