"""``handwright evaluate preference``: studies in which people choose between pictures."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handwright.apps.cli.options import Debug
from handwright.apps.cli.show import Screen
from handwright.errors import DataError, UsageError

if TYPE_CHECKING:
    from handwright.preference import StudyResult

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _preference() -> None:
    """Studies in which people choose between pictures of several systems."""


@app.command()
def make(
    folders: Annotated[
        list[Path], typer.Argument(metavar="A/ B/ …", help="Each system's pictures, of the same names.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="New folder: page/ and key.json.")
    ],
    questions: Annotated[
        str, typer.Option("--questions", metavar="A,B", help="plausibility, relevance (needs --prompts).")
    ] = "plausibility",
    prompts: Annotated[
        Path | None,
        typer.Option("--prompts", metavar="FILE.csv", help="Rows name,text: the text shown with a picture."),
    ] = None,
    checks: Annotated[int, typer.Option("--checks", metavar="N", help="Attention checks.")] = 3,
    trials: Annotated[
        int, typer.Option("--trials", metavar="N", help="Pairs that one rater sees; 0: all.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of sides, names and checks.")] = 0,
    debug: Debug = False,
) -> None:
    """Build an offline page for raters: pairs in random order, on random sides, with attention checks."""
    from handwright.preference import make_study
    from handwright.workflow.jobs import find_sources

    missing = [folder for folder in folders if not folder.is_dir()]
    if missing:
        raise UsageError(f"{missing[0]} is no folder", "", "give each system's pictures as a folder")
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        raise UsageError(
            "two folders have the same name", ", ".join(names), "a system is named by its folder"
        )
    systems = {
        name: {source.name.with_suffix("").as_posix(): source.path for source in find_sources([folder])}
        for name, folder in zip(names, folders, strict=True)
    }
    key = make_study(
        systems,
        output,
        questions=[name.strip() for name in questions.split(",") if name.strip()],
        prompts=_prompts(prompts) if prompts else None,
        checks=checks,
        trials_per_rater=trials,
        seed=seed,
    )
    screen = Screen(debug=debug)
    pictures = len({trial["picture"] for trial in key["trials"]})
    screen.write(f"{len(key['trials'])} pairs of {pictures} pictures, {checks} attention checks.")
    screen.write(f"Give raters the folder {output / 'page'}; keep {output / 'key.json'} from them.")


@app.command()
def score(
    study: Annotated[Path, typer.Argument(metavar="DIR", help="The study's folder, with key.json.")],
    answers: Annotated[list[Path], typer.Argument(metavar="ANSWERS…", help="Files that raters saved.")],
    checks_allowed: Annotated[
        int, typer.Option("--checks-allowed", metavar="N", help="Failed checks that a rater may have.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the bootstrap intervals.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON to stdout, nothing else.")] = False,
    debug: Debug = False,
) -> None:
    """Win rates with exact intervals, Bradley–Terry scores and agreement of the raters."""
    from handwright.preference import read_answers, score_study
    from handwright.preference.answers import read_key

    key = read_key(study)
    result = score_study(key, read_answers(answers, key), checks_allowed=checks_allowed, seed=seed)
    screen = Screen(as_json=as_json, debug=debug)
    if as_json:
        screen.write(json.dumps(_finite(result.to_json()), indent=1, allow_nan=False, ensure_ascii=False))
        return
    for line in _lines(result):
        screen.write(line)


@app.command()
def size(
    win_rate: Annotated[float, typer.Argument(metavar="RATE", help="Assumed win rate, 0.5 to 1.")],
    power: Annotated[float, typer.Option("--power", metavar="P", help="Wanted power.")] = 0.8,
    alpha: Annotated[float, typer.Option("--alpha", metavar="P", help="Level of the two-sided test.")] = 0.05,
    debug: Debug = False,
) -> None:
    """How many decided pictures find a win rate of RATE with the wanted power."""
    from handwright.preference import pictures_needed

    Screen(debug=debug).write(str(pictures_needed(win_rate, power=power, alpha=alpha)))


def _prompts(path: Path) -> dict[str, str]:
    """Texts by picture name."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"cannot read {path}", str(error), "give a CSV file of rows name,text") from error
    if any(len(row) != 2 for row in rows if row):
        raise DataError(f"{path} is not rows of name,text", "a row has other columns", 'quote text: a,"b, c"')
    return {Path(name).with_suffix("").as_posix(): text for name, text in filter(None, rows)}


def _lines(result: StudyResult) -> list[str]:
    lines = [f"{len(result.raters)} raters; {len(result.excluded)} left out: failed attention checks"]
    for question, found in result.questions.items():
        lines.append(f"\n{question}")
        for pair in found.pairs:
            lines.append(f"  {pair.win_rate}")
            lines.append(
                f"    pictures {pair.pictures}: by majority {pair.first_majority} to {pair.second_majority}, "
                f"by plurality {pair.first_plurality} to {pair.second_plurality}; "
                f"answers {pair.first_answers} to {pair.second_answers}, neither {pair.neither_answers}"
            )
        lines += [f"  Bradley–Terry {score}" for score in found.scores]
        lines += [f"  agreement {found.agreement}", f"  {found.left}"]
    return lines


def _finite(value: Any) -> Any:  # noqa: ANN401 - any value of JSON
    """The value with None for what is not a number."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return None if isinstance(value, float) and value != value else value
