"""What `cm run|show|replay experiment` do: CM dictionaries in and out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cm4bench_experiments.choice import front
from cm4bench_experiments.conduct import VARIATION, Conductor, Place, alone
from cm4bench_experiments.errors import ExperimentError
from cm4bench_experiments.executors import executor_of
from cm4bench_experiments.figures import Configuration, Objective, configurations, refuse_unknown
from cm4bench_experiments.flags import group, refuse_strangers, sweep_of, value
from cm4bench_experiments.folder import Ask, Experiment, Status
from cm4bench_experiments.plan import MANY, Point, count, points
from cm4bench_experiments.source import Known, Listed, Source
from cm4bench_experiments.sweep import Sweep
from cm4bench_experiments.view import command, plan_lines, point_line, print_table, tally_line
from cm4bench_results.record import RecordError
from cm4bench_results.store import RESULTS_DIR_KEY, default_results_dir

DEFAULT_FOLDER = "cm4bench-experiments"
PLOT = "pareto.html"
Action = Callable[[Any, Mapping[str, Any]], dict[str, Any]]


def guarded(action: Action) -> Action:
    """A refusal becomes CM's error dictionary; on the console it is printed here, cause first, then what to type."""

    def run(automation: Any, i: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return action(automation, i)
        except ExperimentError as error:
            return _refusal(automation, i, error.cause, error.hint)
        except (OSError, RecordError) as error:
            return _refusal(automation, i, str(error), "")
        except KeyboardInterrupt:
            return _refusal(automation, i, "interrupted", "the same command goes on with what is missing", 130)

    return run


def _refusal(automation: Any, i: Mapping[str, Any], cause: str, hint: str, code: int = 1) -> dict[str, Any]:
    text = f"error: {cause}" + (f"\n\nnext: {hint}" if hint else "")
    if i.get("out") == "con":
        sys.stdout.flush()
        print(f"\n{text}", file=sys.stderr, flush=True)
        # cmind's command line would print it a second time
        automation.cmind.output = "shown"
    return {"return": code, "error": text}


@guarded
def run(automation: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """Run what is missing of a sweep, then show its table, its plot and the command to take."""
    sweep = sweep_of(i)
    check_against_script(automation, sweep)
    experiment = Experiment(_folder(i, sweep))
    if _yes(i, "plan"):
        return _planned(i, sweep, experiment)
    total = count(sweep)
    if not total:
        raise ExperimentError("0 points: the conditions rule out every one", "--plan shows the points")
    if total > MANY and not _yes(i, "yes"):
        raise ExperimentError(
            f"{total:,} points are more than {MANY:,}: hardly meant", "--plan shows them, --yes runs them"
        )
    experiment.open(sweep)
    with alone(experiment):
        conductor = _conductor(automation, i, sweep, experiment, total)
        tally = conductor.run()
    _say(i, tally_line(tally, conductor.executor.width == 1))
    if tally.out_of_budget:
        _say(i, f"the budget of {sweep.budget} is spent; the same command goes on with what is missing")
    return concluded(i, experiment)


@guarded
def show(automation: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """The table, the plot and the chosen command of an experiment that ran."""
    return concluded(i, _named(i))


@guarded
def replay(automation: Any, i: Mapping[str, Any]) -> dict[str, Any]:
    """Run one configuration again (`--point=KEY`, default the chosen one), `--repeat` times, and compare."""
    from cm4bench_experiments.replay import judge, run_again

    experiment = _named(i)
    sweep, place = experiment.sweep(), _place(i)
    found, objectives = _found(experiment, sweep)
    chosen = _picked(found, objectives, str(i.get("point") or ""))
    fresh = run_again(experiment, sweep, chosen, place, automation.cmind.access, _repeats(i, sweep))
    done = judge(objectives[0].name, chosen, fresh, found)
    _say(i, done.words)
    return {"return": 0, "reproduced": done.reproduced, "new": list(done.new), "old": list(done.old)}


def check_against_script(automation: Any, sweep: Sweep) -> None:
    """Refuse, before anything runs, what the script would refuse at each point.

    Raises:
        ExperimentError: no such script, option, variation or value.
    """
    engine_folder = str(Path(__file__).parents[2] / "script")
    if engine_folder not in sys.path:
        sys.path.append(engine_folder)
    from cm4bench import adapter
    from cm4bench.errors import CMBenchError

    try:
        script = adapter.engine_for(automation).find_script(sweep.run)
    except CMBenchError as error:
        raise ExperimentError(error.cause, error.hint or "") from None
    inputs = {item.name: item for item in reversed(script.inputs)}
    refuse_strangers(sweep.options, inputs, script.repo.strict)
    listed = [(name, given) for point in sweep.points for name, given in point.items()]
    gridded = [(name, given) for name, some in sweep.grid.items() for given in some]
    for name, given in (*gridded, *listed):
        if name != VARIATION:
            refuse_strangers({name: given}, inputs, script.repo.strict)


def concluded(i: Mapping[str, Any], experiment: Experiment) -> dict[str, Any]:
    """What stands at the end: table, Pareto plot, the chosen command."""
    from cm4bench_experiments.plot import write_plot

    sweep = experiment.sweep()
    found, objectives = _found(experiment, sweep)
    answer: dict[str, Any] = {"return": 0, "experiment": str(experiment.path), "points": len(found)}
    if i.get("out") == "con":
        print_table(found, objectives)
    best = front(found, objectives)
    if not best:
        causes = [cause for one in found for cause in one.causes]
        reason = f": {causes[0]}" if causes else ""
        raise ExperimentError(f"no point has a valid result{reason}", f"the logs are in {experiment.path}/points")
    answer["plot"] = str(write_plot(found, objectives, sweep.run, experiment.path / PLOT))
    answer["command"] = command(sweep, best[0], _place(i))
    answer["chosen"], answer["front"] = best[0].settings, [one.settings for one in best]
    _say(i, f"\n→ chosen, * on the Pareto front of {', '.join(sweep.objectives)}")
    _say(i, f"plot: {answer['plot']}\nnext: {answer['command']}")
    return answer


def _conductor(automation: Any, i: Mapping[str, Any], sweep: Sweep, experiment: Experiment, total: int) -> Conductor:
    known = Known()
    for ask, status in experiment.known():
        known.add(ask, status)
    jobs = value(str(i.get("jobs") or 1))
    if not isinstance(jobs, int):
        raise ExperimentError(f"--jobs={jobs} is no number", "--jobs=2")
    cluster = {key: value(text) for key, text in group(i, "cluster").items()}
    source = _source(sweep, known, _yes(i, "retry"))
    executor = executor_of(str(i.get("executor") or "local"), jobs, cluster, experiment.path, automation.cmind.access)
    ended = [sum(1 for _ in known.all())]
    if ended[0]:
        _say(i, f"{ended[0]} of {total} points are known")

    def tell(ask: Ask, status: Status) -> None:
        ended[0] += 1
        _say(i, point_line(ended[0], total, ask, status))

    return Conductor(experiment, sweep, _place(i), source, known, executor, tell)


def _source(sweep: Sweep, known: Known, retry: bool) -> Source:
    if sweep.search is None:
        return Listed(sweep, known, retry)
    from cm4bench_experiments.search import Searched

    return Searched(sweep, sweep.search, known)


def _planned(i: Mapping[str, Any], sweep: Sweep, experiment: Experiment) -> dict[str, Any]:
    total, missing = count(sweep), None
    if not total:
        raise ExperimentError("0 points: the conditions rule out every one", "correct --where")
    if (experiment.path / "sweep.json").is_file() and total <= MANY and sweep.search is None:
        missing = sum(experiment.point(point).status() is None for point in points(sweep))
    _say(i, "\n".join(plan_lines(sweep, missing)))
    return {"return": 0, "points": total, "missing": missing, "experiment": str(experiment.path)}


def _found(experiment: Experiment, sweep: Sweep) -> tuple[list[Configuration], list[Objective]]:
    objectives = [Objective.parse(text, sweep.dimensions) for text in sweep.objectives]
    found = configurations(experiment.known())
    refuse_unknown(objectives, found)
    return found, objectives


def _picked(found: list[Configuration], objectives: list[Objective], key: str) -> Configuration:
    if not key:
        best = front(found, objectives)
        if not best:
            raise ExperimentError("no point has a valid result", "cm run experiment … again")
        return best[0]
    for one in found:
        if Point(one.settings).key == key:
            return one
    raise ExperimentError(f"no point {key!r}", "the last word of a point's folder but one is its key")


def _repeats(i: Mapping[str, Any], sweep: Sweep) -> int:
    given = value(str(i.get("repeat") or sweep.repeat))
    if not isinstance(given, int) or given < 1:
        raise ExperimentError(f"--repeat={given} is no number of runs", f"--repeat={sweep.repeat}")
    return given


def _folder(i: Mapping[str, Any], sweep: Sweep) -> Path:
    """Where the experiment lives: the same command always means the same folder."""
    if i.get("dir"):
        return Path(str(i["dir"])).expanduser().absolute()
    plain = "-".join(word for word in sweep.run.replace("_", "").split(",") if word.isidentifier() or "-" in word)
    return Path.cwd() / DEFAULT_FOLDER / f"{plain[:40].strip('-') or 'experiment'}-{sweep.digest()}"


def _named(i: Mapping[str, Any]) -> Experiment:
    if not i.get("dir") or i["dir"] is True:
        raise ExperimentError("no experiment was named", "--dir=FOLDER")
    return Experiment.existing(Path(str(i["dir"])).expanduser().absolute())


def _place(i: Mapping[str, Any]) -> Place:
    given = str(i.get("results_dir") or os.environ.get(RESULTS_DIR_KEY) or "")
    return Place(default_results_dir({RESULTS_DIR_KEY: given}, Path.cwd()), Path.cwd())


def _yes(i: Mapping[str, Any], flag: str) -> bool:
    return str(i.get(flag, "")).lower() in ("true", "yes", "1", "on")


def _say(i: Mapping[str, Any], text: str) -> None:
    if i.get("out") == "con":
        print(text, flush=True)
