"""CM automation `experiment`: reads the Result records that runs have stored."""

import os
import sys

from cmind.automation import Automation

_HERE = os.path.dirname(os.path.abspath(__file__))
_SCRIPT = os.path.join(os.path.dirname(_HERE), "script")  # whose locks crates hold
sys.path[:0] = [folder for folder in (_HERE, _SCRIPT) if folder not in sys.path]


class CAutomation(Automation):
    """Actions of `cm ACTION experiment`."""

    def __init__(self, cmind, automation_file) -> None:  # noqa: ANN001
        super().__init__(cmind, __file__)

    def _said(self, i: dict, done: dict) -> dict:
        """An error is printed here, once and whole: cmind would decorate it, or keep silent where `--out` is a form."""
        if done["return"] and i.get("out") not in (None, "", "json"):
            print(f"\nerror: {done['error']}", file=sys.stderr, flush=True)
            self.cmind.output = "shown"
        return done

    def run(self, i: dict) -> dict:
        """`cm run experiment --tags=… --explore.KEY=A,B`: a script over a plan of points; goes on where it stopped."""
        from cm4bench_experiments import actions

        return actions.run(self, i)

    def replay(self, i: dict) -> dict:
        """`cm replay experiment --dir=FOLDER [--point=KEY]`: one point again, compared with what it was."""
        from cm4bench_experiments import actions

        return actions.replay(self, i)

    def add(self, i: dict) -> dict:
        """`cm add experiment --template=resnet_cifar10 [--output=FILE]`: a configuration for `run mlperf-lite`."""
        if "template" not in i:
            return super().add(i)
        from cm4bench_trainings import adding

        return self._said(i, adding.add(i))

    def show(self, i: dict) -> dict:
        """`cm show experiment [--results_dir=FOLDER]`: all stored results; `--dir=FOLDER`: one experiment."""
        if i.get("dir"):
            from cm4bench_experiments import actions as experiments

            return experiments.show(self, i)
        from cm4bench_results import actions

        return actions.show(i)

    def report(self, i: dict) -> dict:
        """`cm report experiment [--results_dir=FOLDER] [--output=FILE.html]`: one HTML report of all stored results."""
        from cm4bench_results import actions

        return actions.report(i)

    def search(self, i: dict) -> dict:
        """`cm find experiment [--COLUMN=VALUE…] [--sql="SELECT …"] [--out=json|csv|parquet|xlsx]`: rows of results."""
        from cm4bench_database import actions

        return self._said(i, actions.find(i))

    def export(self, i: dict) -> dict:
        """`cm export experiment --output=FILE.csv|json|parquet|xlsx [--COLUMN=VALUE…]`: rows into a file."""
        from cm4bench_database import actions

        return self._said(i, actions.export(i))

    def compare(self, i: dict) -> dict:
        """`cm compare experiment A B | --a.COLUMN=… --b.COLUMN=… | --by=torch`: is it more than noise?"""
        from cm4bench_compare import actions

        return self._said(i, actions.compare(i))

    def detect(self, i: dict) -> dict:
        """`cm detect experiment [--COLUMN=VALUE…]`: where histories of results changed their level."""
        from cm4bench_compare import actions

        return self._said(i, actions.detect(i))

    def bisect(self, i: dict) -> dict:
        """`cm bisect experiment GOOD BAD [--repeats=3]`: which entry of two locks' difference made a result worse."""
        from cm4bench_compare import actions

        return self._said(i, actions.bisect(i))

    def pareto(self, i: dict) -> dict:
        """`cm pareto experiment [--objectives=value:higher,accuracy:higher] [--COLUMN=VALUE…]`: the front, its knee."""
        from cm4bench_compare import actions

        return self._said(i, actions.pareto(i))

    def push(self, i: dict) -> dict:
        """`cm push experiment --to=URL`: results to a shared folder or object store."""
        from cm4bench_database import actions

        return self._said(i, actions.push(i))

    def pull(self, i: dict) -> dict:
        """`cm pull experiment --from=URL`: results from there."""
        from cm4bench_database import actions

        return self._said(i, actions.pull(i))

    def capture(self, i: dict) -> dict:
        """`cm capture experiment ID|FOLDER [--output=FILE.zip|FILE.tar.gz|FOLDER]`: a result as an RO-Crate."""
        from cm4bench_crates import actions

        return actions.capture(self.cmind, i)

    def reproduce(self, i: dict) -> dict:
        """`cm reproduce experiment CRATE [--results_dir=FOLDER] [--accept=KINDS] [--tolerance=0.1]`."""
        from cm4bench_crates import actions

        return actions.reproduce(self.cmind, i)


def _import(self: CAutomation, i: dict) -> dict:
    """`cm import experiment --from=PATH [--round=v4.1]`: official results, to stand beside our own."""
    from cm4bench_database import actions

    return self._said(i, actions.import_(i))


# the action's name is a word of Python's own
setattr(CAutomation, "import", _import)
