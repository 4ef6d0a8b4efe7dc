"""The command line: the one place that may import both ``training`` and ``serving``, and only when a command needs them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from models.feedback import Stored
    from serving.store import Store
    from training.run import Report

HOST = "127.0.0.1"
START_SECONDS = 120


class Engine(StrEnum):
    """Where a file is predicted."""

    LOCAL = "local"
    SPARK = "spark"


class _Commands(TyperGroup):
    """Turns what Foretell raises on purpose into one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("foretell: stopped", err=True)
            raise typer.Exit(130) from None
        except ModuleNotFoundError as error:
            typer.echo(f"foretell: expected the package {error.name}: install the extra that has it, as foretell[train,serve]", err=True)
            raise typer.Exit(1) from error
        except Exception as error:
            from models.errors import ForetellError, InputError

            if not isinstance(error, ForetellError):
                raise
            typer.echo(f"foretell: {error}", err=True)
            raise typer.Exit(2 if isinstance(error, InputError) else 1) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Seven predictions from your own data: trained by script, reviewed in MLflow, served over HTTP."
    "\n\nExit codes: 0 done; 1 it could not be done (a gate missed, no such version, a server away); 2 what you gave cannot be used.",
)
data_app = typer.Typer(no_args_is_help=True, help="Public data sets, and checks of your own.")
app.add_typer(data_app, name="data")

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The model, such as churn; see foretell status.", show_default=False)]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map", metavar="FIELD=COLUMN", help="Which column is a field, such as label=Churn; a position if there is no header. Repeats."
    ),
]
Read = Annotated[
    list[str] | None,
    typer.Option(
        "--read",
        metavar="KEY=VALUE",
        help="What the file does not say: zone=Europe/Berlin of times without one; of logs, pattern='{timestamp} {level} {message}' and "
        "year=2026; or a field, such as service=checkout. Repeats.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]

User = Annotated[str, typer.Option(metavar="ID", help="The person, as events and queries name them.", show_default=False)]


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port of the API.")] = 3000,
    ui_port: Annotated[int, typer.Option(help="Port of the MLflow UI.")] = 5000,
) -> None:
    """Train what has no champion, then start the API and the MLflow UI; Ctrl-C stops both."""
    from serving.launch import require_store_address
    from serving.processes import ending_on_signals, require_free, running, wait_for_any
    from serving.programs import api_program, example_request, ui_program

    require_free(HOST, port, "--port")
    require_free(HOST, ui_port, "--ui-port")
    require_store_address()
    with ending_on_signals():
        for slug in _without_champion():
            _run([sys.executable, "-m", "foretell", "train", slug])
        with running(api_program(HOST, port)) as api, running(ui_program(HOST, ui_port)) as ui:
            api.wait_until_ready(START_SECONDS)
            typer.echo(f"API        http://{HOST}:{port}\n\n{example_request(HOST, port)}\n")
            ui.wait_until_ready(START_SECONDS)
            typer.echo(f"MLflow UI  http://{HOST}:{ui_port}\n\nCtrl-C stops both.")
            wait_for_any([api, ui])


@app.command()
def train(
    slug: Annotated[str, typer.Argument(metavar="SLUG|all", help="The model, or all of them on their sample data.", show_default=False)],
    data: Annotated[Path | None, typer.Option(help="CSV, JSONL or Parquet, plain or .gz. Default: the model's sample data.")] = None,
    holdout: Annotated[Path | None, typer.Option(help="Rows to be judged on. Default: held out of the data by the recipe.")] = None,
    map_: Map = None,
    read: Read = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the model. Repeats.")] = None,
    promote: Annotated[bool, typer.Option("--promote/--no-promote", help="Promote the version if it beats the champion.")] = True,
    from_feedback: Annotated[
        bool, typer.Option("--from-feedback", help="Learn from stored events or reported outcomes too; without --data, from these alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model, judge it on a hold-out, and register the version if it passes its gates."""
    from models import MODELS, get
    from models.errors import InputError

    slugs = MODELS if slug == "all" else (slug,)
    for each in slugs:
        get(each)
    if slug == "all" and (data or holdout or map_ or read or set_ or from_feedback):
        raise InputError("expected one model with --data, --holdout, --map, --read, --set or --from-feedback, got all")
    mapping, settings = _pairs(map_, "--map"), _pairs(set_, "--set")
    reports = []
    for each in slugs:
        with _stdout_kept_clean(), _steps(each) as progress:
            from training.run import train as run

            stored = _stored(each) if from_feedback else None
            options: dict[str, Any] = {"options": _pairs(read, "--read"), "settings": settings, "promote": promote, "stored": stored}
            reports.append(run(each, data=data, holdout=holdout, mapping=mapping, progress=progress, **options))
        if not as_json:
            _show_report(reports[-1])
    if as_json:
        dumped = [report.model_dump(mode="json") for report in reports]
        _print_json(dumped[0] if slug != "all" else {"models": dumped})


@app.command()
def promote(slug: Slug, version: Annotated[int | None, typer.Option(help="Default: the challenger.")] = None) -> None:
    """Make a version the champion: the one that answers."""
    from training import tracking

    typer.echo(f"{slug}: version {tracking.promote(slug, version).version} is the champion")


@app.command()
def rollback(slug: Slug) -> None:
    """Make the champion before this one answer again."""
    from training import tracking

    typer.echo(f"{slug}: version {tracking.rollback(slug).version} is the champion again")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Which version answers, trained when, on what, with what figures."""
    from training import tracking

    versions = [version.model_dump(mode="json") for version in tracking.status()]
    if as_json:
        _print_json({"models": versions})
    elif versions:
        _show_table([_status_row(version) for version in versions])
    else:
        typer.echo("No model is registered yet: run foretell train all")


@app.command()
def predict(
    slug: Slug,
    input_: Annotated[Path, typer.Option("--input", help="CSV, JSONL or Parquet, plain or .gz.", show_default=False)],
    output: Annotated[Path, typer.Option(help="A file ending in .csv, .tsv, .jsonl (each also .gz) or .parquet.", show_default=False)],
    version: Annotated[int | None, typer.Option(help="Which version; wins over --alias.")] = None,
    alias: Annotated[str, typer.Option(help="Which version, by its role.")] = "champion",
    engine: Annotated[Engine, typer.Option(help="On this machine; Spark is refused in this version.")] = Engine.LOCAL,
    map_: Map = None,
    read: Read = None,
    as_json: AsJson = False,
) -> None:
    """Predict for every row of a file; the output appears whole or not at all."""
    from models.errors import InputError
    from serving.batch import predict_file

    if engine is Engine.SPARK:
        raise InputError("expected --engine local, got spark: this version predicts on one machine, in a stream")
    with _stdout_kept_clean(), _progress(input_.name, _size(input_)) as advance:
        count, found = predict_file(
            slug,
            input_,
            output,
            mapping=_pairs(map_, "--map"),
            options=_pairs(read, "--read"),
            alias=alias,
            version=None if version is None else str(version),
            progress=advance,
        )
    if as_json:
        _print_json({"slug": slug, "version": found.version, "rows": count, "output": str(output)})
    else:
        typer.echo(f"{output}: {count:,} predictions by {slug} version {found.version}")


@app.command()
def ask(
    slug: Slug,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="Such as rules or export, of search_synonyms.", show_default=False)],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field of the question. Repeats, in a list too.")
    ] = None,
) -> None:
    """Ask a champion a further question, as it is with all stored events, without a server; prints JSON, or the text that it gives."""
    from models.environment import environment
    from serving.console import ask as answer

    fields = [pair for text in set_ or () for pair in _pairs([text], "--set").items()]
    with _stdout_kept_clean():
        reply = answer(slug, question, fields, environment())
    typer.echo(reply.body.decode().removesuffix("\n"))


@app.command()
def tell(
    slug: Slug,
    input_: Annotated[Path, typer.Option("--input", help="CSV, JSONL or Parquet, plain or .gz; an event a row.", show_default=False)],
    map_: Map = None,
    as_json: AsJson = False,
) -> None:
    """Store the events of a file for a model that goes on learning, each once; running servers follow."""
    from models.environment import environment
    from serving.console import tell as store

    with _stdout_kept_clean():
        told = store(slug, input_, _pairs(map_, "--map"), environment())
    if as_json:
        _print_json({"accepted": told.accepted, "repeated": told.repeated, "refused": told.refused})
    else:
        typer.echo(f"{input_}: {told.accepted:,} events kept, {told.repeated:,} known already, {len(told.refused):,} refused")
        for place, why in told.refused.items():
            typer.echo(f"event {place}: {why}", err=True)
    if told.refused:
        raise typer.Exit(2)


@app.command()
def inbox(
    least: Annotated[int, typer.Option(min=2, help="Distinct messages that make a group.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Propose new intents: stored messages that no known intent fitted, in groups, each with a name and ten examples."""
    from training.inbox import proposals

    store = _store()
    try:
        with _stdout_kept_clean():
            rejected = [asked.text for asked, answered in store.predicted("intent") if answered.rejected]
            found = proposals(rejected, least)
    finally:
        store.close()
    if as_json:
        _print_json({"rejected": len(rejected), "proposals": [asdict(proposal) for proposal in found]})
        return
    typer.echo(f"{len(rejected):,} messages fitted no known intent; {len(found)} groups of at least {least} distinct ones")
    for proposal in found:
        typer.echo(f"\n{proposal.name}  {proposal.size:,} messages\n" + "\n".join(f"  {text}" for text in proposal.examples))


@app.command("evaluate-policy")
def evaluate_policy(
    slug: Slug,
    log: Annotated[Path, typer.Option(help="What was decided, with its propensity, and what became of it.", show_default=False)],
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the decision to try. Repeats.")] = None,
    map_: Map = None,
    figure: Annotated[Path | None, typer.Option(help="Draw the report into this file: .png, .svg or .pdf.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what other settings would have been worth on a log, before they ship; or that the log cannot tell (exit code 1)."""
    from models.environment import environment
    from serving.console import evaluate_policy as evaluate

    with _stdout_kept_clean():
        report = evaluate(slug, log, _pairs(map_, "--map"), _pairs(set_, "--set"), environment())
    found = report.model_dump(mode="json")
    if figure is not None:
        from training.policy import picture

        picture(found).savefig(figure)
    if as_json:
        _print_json(found)
    else:
        _show_policy(found)
    if found["refused"]:
        raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = HOST,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
    models: Annotated[str, typer.Option(metavar="SLUG,...", help="Models that are served. Default: all.")] = "",
) -> None:
    """Serve the champions over HTTP."""
    from models import get
    from serving.launch import command, require_store_address, settings
    from serving.processes import require_free

    slugs = [slug.strip() for slug in models.split(",") if slug.strip()]
    for slug in slugs:
        get(slug)
    require_free(host, port, "--port")
    require_store_address()
    program = command(host=host, port=port)
    os.execve(program[0], program, settings(models=slugs, port=port, workers=workers))  # noqa: S606 - our own command, no shell


@app.command()
def review(port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000) -> None:
    """Open the MLflow UI, where versions are judged; Ctrl-C stops it."""
    from models.environment import environment
    from serving.processes import ending_on_signals, require_free, running, wait_for_any
    from serving.programs import ui_program

    if environment().tracking_uri.startswith("http"):
        typer.echo(f"MLflow UI  {environment().tracking_uri}")
        return
    require_free(HOST, port, "--port")
    with ending_on_signals(), running(ui_program(HOST, port)) as ui:
        ui.wait_until_ready(START_SECONDS)
        typer.echo(f"MLflow UI  http://{HOST}:{port}\n\nCtrl-C stops it.")
        wait_for_any([ui])


@data_app.command("list")
def data_list(as_json: AsJson = False) -> None:
    """The public sets that can be fetched."""
    from models.environment import environment
    from training.public_sets import PUBLIC_SETS

    rows = [
        {
            "name": each.name,
            "model": each.slug,
            "holds": each.what,
            "licence": each.licence,
            "megabytes": round(sum(file.size for file in each.files) / 1e6, 2),
            "fetched": all((environment().home / "data" / each.name / file.name).exists() for file in each.files),
        }
        for each in PUBLIC_SETS
    ]
    _print_json({"sets": rows}) if as_json else _show_table(rows)


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(help="See foretell data list.", show_default=False)]) -> None:
    """Download a public set from its publisher; resumes what was cut off, and refuses what is not as published."""
    from models.environment import environment
    from training.fetch import fetch, public_set

    wanted = public_set(name)
    with _progress(name, sum(file.size for file in wanted.files)) as advance:
        paths = fetch(wanted, environment().home / "data" / name, progress=advance)
    typer.echo("\n".join([*map(str, paths), f"Licence: {wanted.licence}"]))


@data_app.command("check")
def data_check(
    slug: Slug,
    path: Annotated[Path, typer.Argument(help="Training rows.", show_default=False)],
    map_: Map = None,
    read: Read = None,
    as_json: AsJson = False,
) -> None:
    """Read a file as training rows, and say what is wrong with the first row that cannot be used."""
    from models import get
    from models.rows import read_rows

    with _progress(path.name, _size(path)) as advance:
        rows = read_rows(path, get(slug).contract.example, _pairs(map_, "--map"), options=_pairs(read, "--read"), progress=advance)
        count = sum(1 for _ in rows)
    _print_json({"slug": slug, "path": str(path), "rows": count}) if as_json else typer.echo(f"{path}: {count:,} rows can be used")


@data_app.command("export")
def data_export(user: User) -> None:
    """Print all that is kept about one person, as JSON: events, predictions, feedback."""
    _print_json({"user": user, **_store().export(user)})


@data_app.command("forget")
def data_forget(user: User, as_json: AsJson = False) -> None:
    """Drop all that is kept about one person, for good: in the store, in versions of models, in caches; running servers follow."""
    from models.environment import environment
    from serving.online import purge_caches
    from training import tracking

    with _stdout_kept_clean():
        # Versions first: servers that hear of it from the store must find none that knows the person.
        replaced = [f"{each.slug} version {each.old} by {each.new}" for each in tracking.forget(user)]
        dropped = _store().forget(user)
        purge_caches(environment().home)
    if as_json:
        _print_json({"user": user, "dropped": dropped, "replaced": replaced})
        return
    typer.echo(", ".join(f"{count:,} {table}" for table, count in dropped.items()) + " dropped")
    typer.echo("\n".join(f"Replaced {each}" for each in replaced) or "No version of a model knew this person")


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Benchmarks. Default: all.", show_default=False)] = None,
    data: Annotated[Path | None, typer.Option(help="The benchmark's own folder. Default: its folder below FORETELL_BENCH_DATA.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure quality, speed and memory on real public data, beside what one would use instead."""
    from training import bench as harness

    results = []
    for name in names or harness.names():
        with _stdout_kept_clean():
            results.append(harness.run(name, data))
        if not as_json:
            typer.echo(f"\n{name}  {results[-1]['machine']}")
            _show_table(results[-1]["rows"])
    if as_json:
        _print_json(results[0] if names and len(names) == 1 else {"benchmarks": results})


def _stored(slug: str) -> Stored:
    """What the store has to teach a model: the two sides meet here."""
    from serving.online import lessons
    from training.run import recipe_of

    store = _store()
    try:
        return lessons(slug, store, recipe_of(slug).from_feedback)
    finally:
        store.close()


def _store() -> Store:
    from models.environment import environment
    from serving.store import Store

    return Store(environment().database_url)


def _without_champion() -> list[str]:
    """Slugs that nothing can answer for. One that answered here before is not asked about: the server finds its champion by itself."""
    from models import MODELS
    from models.environment import environment
    from serving.registry import Registry

    registry = Registry(environment())
    never_served = [slug for slug in MODELS if not any(registry.last_good(slug))]
    if not never_served:
        return []
    from training import tracking

    champions = {version.slug for version in tracking.status() if version.alias == tracking.CHAMPION}
    return [slug for slug in never_served if slug not in champions]


def _run(command: Sequence[str]) -> None:
    """Run one of our own commands in a process of its own, so that what it imports does not stay in this one."""
    import subprocess

    if code := subprocess.run(command, check=False).returncode:  # noqa: S603 - our own command
        raise typer.Exit(code)


def _pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    from models.errors import InputError

    pairs = [text.partition("=") for text in texts or ()]
    if wrong := [name + middle for name, middle, _ in pairs if not (name and middle)]:
        raise InputError(f"expected {option} NAME=VALUE, got {wrong[0]!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


@contextmanager
def _stdout_kept_clean() -> Iterator[None]:
    """Send to stderr what libraries print, from C too, so that stdout holds the result and nothing else."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar of bytes on stderr, if that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total or None)
        yield lambda count: bar.advance(task, count)


@contextmanager
def _steps(slug: str) -> Iterator[Callable[[str, float | None], None]]:
    """What a training does now, on stderr, if that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(slug, total=None)

        def show(step: str, share: float | None) -> None:
            bar.update(task, description=f"{slug}: {step}", total=None if share is None else 1.0, completed=share or 0.0)

        yield show


def _print_json(value: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def _figures(metrics: Mapping[str, float]) -> str:
    return "\n".join(f"{name} {value:.4g}" for name, value in metrics.items())


def _status_row(version: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model": version["slug"],
        "version": f"{version['version']} @{version['alias']}",
        "trained": version["trained_at"][:16].replace("T", " "),
        "on": f"{version['rows']:,} rows of {version['data']}",
        "figures": _figures(version["metrics"]),
    }


def _show_report(report: Report) -> None:
    _show_table(
        [
            {"metric": name, report.slug: f"{value:.4g}", "baseline": f"{report.baseline[name]:.4g}" if name in report.baseline else ""}
            for name, value in report.metrics.items()
        ]
    )
    typer.echo(f"{report.slug} version {report.version} (@{report.alias}), {report.rows:,} rows, {report.seconds:.1f} s. {report.decision}")


def _show_policy(found: Mapping[str, Any]) -> None:
    overlap = found["overlap"]
    trained_on = f"{found['trained_on']:,} rows that it was trained on, " if "trained_on" in found else ""
    typer.echo(
        f"{overlap['decisions']:,} logged decisions, worth {overlap['effective']:,.0f} of this policy's own; mean weight "
        f"{overlap['mean_weight']:.3f}; left out: {trained_on}{found['left_out']:,} without propensity or outcome"
    )
    if found["refused"]:
        typer.echo(f"foretell: {found['refused']}", err=True)
        return
    names = {"logged": "as logged", "ips": "IPS", "snips": "SNIPS", "dr": "doubly robust", "difference": "doubly robust - logged"}
    _show_table([{"estimate": name, **found["value"][key]} for key, name in names.items()])
    typer.echo(f"Verdict: {found['value']['verdict']}.")
    if found["changed"]:
        _show_table(found["changed"])


def _show_table(rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(*names)
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in names))
    Console().print(table)


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def commands() -> dict[str, str]:
    """Every command as it is typed, with the first line of its help."""
    found: dict[str, str] = {}

    def walk(prefix: str, group: Any) -> None:
        for name, command in sorted(group.commands.items()):
            if hasattr(command, "commands"):
                walk(f"{prefix}{name} ", command)
            else:
                found[prefix + name] = (command.help or "").strip().split("\n")[0]

    walk("", typer.main.get_command(app))
    return found


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
