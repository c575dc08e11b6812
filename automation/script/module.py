"""CM automation `script`: hands every action to the cm4bench engine beside this file."""

import os
import sys

from cmind.automation import Automation

_HERE = os.path.dirname(os.path.abspath(__file__))
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

# what customize.py files of CM scripts may call on `i['automation']`
_TOOLS = (
    *("clean_some_tmp_files", "detect_version_using_script", "find_artifact", "find_file_back", "find_file_deep"),
    *("find_file_in_paths", "get_default_path_list", "parse_version", "run_native_script", "update_deps"),
)


class CAutomation(Automation):
    """Actions of `cm ACTION script`. cmind executes this file anew at every access, so it stays this small."""

    def __init__(self, cmind, automation_file) -> None:  # noqa: ANN001
        super().__init__(cmind, __file__)

    def run(self, i: dict) -> dict:
        """`cmr "tags"`: plan, then make what is not there yet."""
        from cm4bench import adapter

        return adapter.guarded(self, i, adapter.run_action)

    def plan(self, i: dict) -> dict:
        """`cm plan script`: what `run` would do."""
        from cm4bench import adapter

        return adapter.guarded(self, i, adapter.plan_action)

    def search(self, i: dict) -> dict:
        """`cm find script --tags=…`."""
        return self._act("search", i)

    def copy(self, i: dict) -> dict:
        """`cm copy script NAME [REPO:]NEW`; cmind's own action, which takes NEW from `parsed_artifacts`."""
        return super().copy({**i, "artifacts": [], "named": True})

    def move(self, i: dict) -> dict:
        """`cm mv script NAME [REPO:]NEW`."""
        return super().move({**i, "artifacts": [], "named": True})

    def delete(self, i: dict) -> dict:
        """`cm rm script NAME`: by name, or by `--tags`; never by a word that is only a tag."""
        return super().delete({**i, "named": True})

    def show(self, i: dict) -> dict:
        """`cm show script --tags=…`."""
        return self._act("show", i)

    def help(self, i: dict) -> dict:
        """`cm help script --tags=…`."""
        return self._act("help_", i)

    def prepare(self, i: dict) -> dict:
        """`cm prepare script`: run the dependencies only."""
        return self.run({**i, "fake_run": True})

    def add(self, i: dict) -> dict:
        """`cm add script NAME --tags=…`."""
        return self._act("add", i)

    def test(self, i: dict) -> dict:
        """`cm test script`: load and plan every script found."""
        return self._act("test", i)

    def native_run(self, i: dict) -> dict:
        """`cm native_run script --command=… --env.KEY=VALUE`."""
        return self._act("native_run", i)

    def version(self, i: dict) -> dict:
        """`cm version script`."""
        return self._act("version", i)

    def doc(self, i: dict) -> dict:
        """`cm doc script --tags=…`: its page in Markdown."""
        return self._act("doc", i)

    def dockerfile(self, i: dict) -> dict:
        """`cm dockerfile script --tags=…`: `cm container script` under its name in CM."""
        return self._act("dockerfile", i)

    def docker(self, i: dict) -> dict:
        """`cmrd "tags"`: `cmr "tags" --container=docker`."""
        return self._act("docker", i)

    def gui(self, i: dict) -> dict:
        """`cmg "tags"`."""
        return self._act("gui", i)

    def _available_variations(self, i: dict) -> dict:
        from cm4bench.compat import toolbox

        return toolbox.available_variations(self, i)

    @property
    def action_object(self) -> object:
        """MLCFlow's name for what CM calls `cmind`."""
        from cm4bench.compat import mlcmodule

        return mlcmodule.ActionObject(os.path.join(self.cmind.repos_path, "repos"))

    cache_action = action_object

    @property
    def logger(self) -> object:
        import logging

        return logging.getLogger("cm4bench.scripts")

    def __getattr__(self, name: str) -> object:
        if name not in _TOOLS:
            raise AttributeError(name)
        from cm4bench.compat import toolbox

        return lambda i: getattr(toolbox, name)(self, i)

    def _act(self, action: str, i: dict) -> dict:
        from cm4bench import adapter
        from cm4bench.compat import scriptactions

        return adapter.guarded(self, i, getattr(scriptactions, action))

    def explain(self, i: dict) -> dict:
        """`cm explain script QUERY`: why this script, these variations, from the cache or not."""
        return self._tool("explain", i)

    def diff(self, i: dict) -> dict:
        """`cm diff script A B`: two locks or two results, in words."""
        return self._tool("diff", i)

    def lint(self, i: dict) -> dict:
        """`cm lint script [--repo=ALIAS | --path=FOLDER]`."""
        return self._tool("lint", i)

    def doctor(self, i: dict) -> dict:
        """`cm doctor script [--network]`."""
        return self._tool("doctor", i)

    def completion(self, i: dict) -> dict:
        """`cm completion script --shell=bash|zsh`."""
        return self._tool("completion", i)

    def _tool(self, action: str, i: dict) -> dict:
        from cm4bench import adapter
        from cm4bench.tools import toolactions

        return adapter.guarded(self, i, getattr(toolactions, action))

    def container(self, i: dict) -> dict:
        """`cm container script "tags" [--output=FOLDER]`: what `cmr … --container=ENGINE` builds its image from."""
        return self._container("container", i)

    def capsule(self, i: dict) -> dict:
        """`cm capsule script "tags" --output=FOLDER|FILE.tar`: all that a run without network needs."""
        return self._container("capsule", i)

    def run_capsule(self, i: dict) -> dict:
        """`cm run-capsule script FOLDER|FILE.tar`."""
        return self._container("run_capsule", i)

    def _container(self, action: str, i: dict) -> dict:
        from cm4bench import adapter
        from cm4bench.container import actions

        return adapter.guarded(self, i, getattr(actions, action))
