"""The `frontdesk` command: serve, try, token, lint, prompts, knowledge, guards, gaps, tail, export, delete, backup. Thin: each calls one room and prints."""

import asyncio
import gc
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from errors import ConfigError, FrontdeskError
from knowledge.check import check_articles
from logsink import LogSink
from settings import ROOT, Settings, set_up_log
from terminal.articles import print_report

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="An intent-routed customer-support desk on Claude."
)
knowledge = typer.Typer(no_args_is_help=True, help="The company's articles.")
app.add_typer(knowledge, name="knowledge")
out = Console()
_FEW_UTTERANCES = 80
# Python's 700 look through a starting program, which only grows, so often that a fifth of the start goes into it.
_YOUNG_OBJECTS = 10_000


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (PORT).")] = None,
) -> None:
    """Serve the desk: chat page at /, API at /chat, ops under /ops."""
    from server import serve as serve_desk  # noqa: PLC0415 - the other commands start without it

    given = {"HOST": host, "PORT": port}
    settings = Settings.read(**{name: value for name, value in given.items() if value is not None})
    address = f"http://{settings.host}:{settings.port}"
    typer.echo("Frontdesk is starting; the first time it reads and learns for some seconds.", err=True)
    with LogSink() as sink:
        set_up_log(put=sink.put)
        serve_desk(settings, lambda: typer.echo(f"Frontdesk: {address}  (stop with Ctrl-C)", err=True))


@app.command("try")
def try_message(
    messages: Annotated[
        list[str], typer.Argument(help="What a customer might write; several make one conversation.")
    ],
    prompts: Annotated[Path | None, typer.Option(help="Another folder of prompt files.")] = None,
    customer: Annotated[str | None, typer.Option(help="Id of the customer who has signed in.")] = None,
) -> None:
    """Send messages through the whole desk, without a server, and show what happened to each."""
    from terminal.trial import run_trial  # noqa: PLC0415 - the other commands start without it

    set_up_log(logging.ERROR)
    overrides = {} if prompts is None else {"FRONTDESK_PROMPTS": prompts}
    asyncio.run(run_trial(Settings.read(**overrides), messages, out, customer))


@app.command()
def token(
    customer: Annotated[str, typer.Argument(help="Id of the customer, as the host site would send it.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it is good for.")] = 1,
) -> None:
    """Print a token that signs a customer in (Authorization: Bearer ...), for trying the desk out."""
    from api.callers import customer_token  # noqa: PLC0415 - the other commands start without it

    typer.echo(customer_token(Settings.read(), customer, days))


@app.command()
def lint(
    prompts: Annotated[Path | None, typer.Option(help="Another folder of prompt files.")] = None,
) -> None:
    """Check every prompt file; exit code 2 when one would be refused."""
    from build import build_parts, load_prompts  # noqa: PLC0415 - the other commands start without it

    overrides = {} if prompts is None else {"FRONTDESK_PROMPTS": prompts}
    settings = Settings.read(**overrides)
    catalogue = load_prompts(settings, build_parts(settings))
    for intent in catalogue.intents:
        count = len(catalogue.specialists[intent].utterances)
        if count < _FEW_UTTERANCES:
            out.print(f"[yellow]{intent}: {count} utterances are few; aim at 150 or more[/]")
    out.print(
        f"[green]ok[/] {settings.prompts}: {', '.join(catalogue.intents)} (version {catalogue.version})"
    )


@app.command("prompts")
def list_prompts() -> None:
    """List the specialists: model, tools, guards, examples, version."""
    from build import build_parts, load_prompts  # noqa: PLC0415 - the other commands start without it

    settings = Settings.read()
    catalogue = load_prompts(settings, build_parts(settings))
    table = Table("intent", "model", "effort", "thinking", "tools", "guards", "utterances", "version")
    for intent in catalogue.intents:
        item = catalogue.specialists[intent]
        table.add_row(
            intent,
            item.model,
            item.effort,
            item.thinking,
            ", ".join(item.tools) or "-",
            ", ".join(item.guards) or "-",
            str(len(item.utterances)),
            item.version,
        )
    out.print(table)


@knowledge.command("check")
def check_knowledge(
    folder: Annotated[Path | None, typer.Option(help="Another folder of articles.")] = None,
) -> None:
    """Check every article and say what is where; exit code 2 and every fault when something is wrong."""
    report = check_articles(folder or Settings.read().knowledge, datetime.now(UTC).date())
    if not print_report(report, out, Console(stderr=True)):
        raise typer.Exit(2)


@app.command()
def guards(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines.")] = False,
    cases: Annotated[Path, typer.Option(help="Another folder of cases.")] = ROOT / "evals" / "cases",
) -> None:
    """List the guards: purpose, who uses them, how many bad cases they stop and honest ones they disturb, measured now."""
    from terminal.guards import show_guards  # noqa: PLC0415 - the other commands start without it

    show_guards(Settings.read(), cases, out, as_json=as_json)


@app.command()
def gaps(
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days to look back.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines.")] = False,
) -> None:
    """List the questions that the articles did not answer, most frequent first; works while the server runs."""
    from terminal.gaps import show_gaps  # noqa: PLC0415 - the other commands start without it

    asyncio.run(show_gaps(Settings.read(), days, out, as_json=as_json))


@app.command()
def tail(
    url: Annotated[str | None, typer.Option(help="Address of the server.")] = None,
    last: Annotated[int, typer.Option(help="Turns to show at first.")] = 15,
    pipe: Annotated[bool, typer.Option("--pipe", help="Read a log from standard input instead.")] = False,
) -> None:
    """Show the routing lines of a running server, live; or those of a log: `frontdesk tail --pipe < log`."""
    from terminal.tail import follow_pipe, follow_server  # noqa: PLC0415 - the other commands start without it

    settings = Settings.read()
    if pipe:
        follow_pipe(sys.stdin, out)
        return
    token = settings.ops_token.get_secret_value() if settings.ops_token else None
    follow_server(url or f"http://{settings.host}:{settings.port}", token, last, out)


_Customer = Annotated[str | None, typer.Option(help="Id of a customer.")]
_Visitor = Annotated[str | None, typer.Option(help="Id of a visitor, or the token that their browser keeps.")]
_Conversation = Annotated[str | None, typer.Option(help="Id of one conversation.")]


@app.command()
def export(
    customer: _Customer = None,
    visitor: _Visitor = None,
    conversation: _Conversation = None,
    output: Annotated[Path | None, typer.Option(help="A new file, instead of standard output.")] = None,
) -> None:
    """Print all that the desk holds of a customer, a visitor or a conversation, as JSON; works while servers run."""
    from terminal.keeping import Whose, show_held  # noqa: PLC0415 - the other commands start without it

    asyncio.run(show_held(Settings.read(), Whose(customer, visitor, conversation), output))


@app.command()
def delete(
    customer: _Customer = None,
    visitor: _Visitor = None,
    conversation: _Conversation = None,
    older_than: Annotated[
        int | None, typer.Option(min=1, help="Days: everything that nobody wrote in for so long.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the conversations of a customer or a visitor, one, or old ones, for good; works while servers run."""
    from terminal.keeping import Whose, delete_held, delete_old  # noqa: PLC0415 - the other commands start without it

    whose = Whose(customer, visitor, conversation)
    set_up_log(logging.ERROR)
    if older_than is None:
        asyncio.run(delete_held(Settings.read(), whose, is_agreed=yes))
    else:
        whose.refuse_any()
        asyncio.run(delete_old(Settings.read(), older_than, is_agreed=yes))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="A new file for the copy.")],
) -> None:
    """Copy the SQLite database into a file while servers use it; of PostgreSQL it says which command does that."""
    from store.address import backend_at  # noqa: PLC0415 - the other commands start without it

    backend_at(Settings.read().database_url).back_up(file)
    typer.echo(
        f"{file}: complete. Keep the secret that signs visitor tokens too (docs/operations.md).", err=True
    )


def main() -> None:
    """Run the command; an expected failure is one readable line and exit code 2."""
    gc.set_threshold(_YOUNG_OBJECTS)
    try:
        app()
    except ConfigError as exc:
        typer.echo(f"frontdesk: {exc}", err=True)
        raise SystemExit(2) from exc
    except FrontdeskError as exc:
        typer.echo(f"frontdesk: {exc}", err=True)
        raise SystemExit(1) from exc
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
