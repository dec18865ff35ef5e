"""``handwright generate --plan``: what a prompt leaves open about hands, before a picture is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen, console_and_table
from handwright.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from handwright.prompts.plan import OpenQuestion, Plan


def generate(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the picture shows.")],
    plan: Annotated[bool, typer.Option("--plan", help="Show the plan. Required.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The plan as JSON to stdout, nothing else.")
    ] = False,
    debug: opt.Debug = False,
) -> None:
    """Show what TEXT fixes about the hands of its picture, what it leaves open, and how to word that.

    For each hand: which hand, which way it faces, what it touches, which fingers are stretched out; then the
    prompt completed in three wordings to copy, and negative words. docs/plan.md explains it.
    """
    from handwright.prompts.plan import plan_prompt

    if not plan:
        raise UsageError("generate only plans", "--plan is missing", "add --plan")
    screen = Screen(as_json=as_json, debug=debug)
    planned = plan_prompt(text)
    if as_json:
        screen.write(json.dumps(planned.to_json(), indent=1, ensure_ascii=False))
    else:
        _show(planned)


def _show(plan: Plan) -> None:
    """The plan as a table, the prompts below it."""
    console, table = console_and_table()
    for warning in plan.warnings:
        console.print(f"! {warning}", markup=False)
    for title in ("", "fixed", "left open", "possible wordings"):
        table.add_column(title, overflow="fold")
    rows = [("picture", plan.fixed, plan.open), *_hand_rows(plan)]
    for title, fixed, questions in rows:
        fixed_points = [f"{point}: {words}" for point, words in fixed.items()]
        _add(table, title, fixed_points, questions)
    if plan.fixed or plan.hands:
        console.print(table)
    for wording, prompt in plan.prompts.items():
        console.print(f"\n{wording}:\n  {prompt}", markup=False, soft_wrap=True)
    console.print(f"\nnegative:\n  {plan.negative}", markup=False, soft_wrap=True)


def _hand_rows(plan: Plan) -> list[tuple[str, Mapping[str, str], tuple[OpenQuestion, ...]]]:
    """Hands of which the same is fixed and left open, as one row."""
    rows: list[tuple[str, Mapping[str, str], tuple[OpenQuestion, ...]]] = []
    for hand in plan.hands:
        if (
            rows
            and rows[-1][1] == hand.fixed
            and [q.point for q in rows[-1][2]] == [q.point for q in hand.open]
        ):
            rows[-1] = ("each hand", *rows[-1][1:])
        else:
            rows.append((hand.title, hand.fixed, hand.open))
    return rows


def _add(table: Table, title: str, fixed: list[str], questions: tuple[OpenQuestion, ...]) -> None:
    """One row for every open point; what is fixed stands beside the first of them."""
    rows = max(len(fixed), len(questions), 1)
    for k in range(rows):
        question = questions[k] if k < len(questions) else None
        cells = (
            title if k == 0 else "",
            fixed[k] if k < len(fixed) else "",
            question.question if question else "",
            "\n".join(question.suggestions) if question else "",
        )
        table.add_row(*(cell.replace("[", "\\[") for cell in cells))
