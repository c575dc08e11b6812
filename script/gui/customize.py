"""Tell the web app where scripts and results are."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (ROOT / "automation" / "experiment", ROOT / "automation" / "script")
for folder in PACKAGES:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def preprocess(i):
    from cm4bench.adapter import engine_for

    env = i["env"]
    engine = engine_for(i["automation"])
    env["CM_GUI_PYTHONPATH"] = ":".join(map(str, PACKAGES))
    env["CM_GUI_SETTINGS"] = json.dumps(settings(env, engine.repos, str(engine.home)))
    return {"return": 0}


def settings(env, repos, home):
    """What `cm4bench_gui.settings.Settings` is made of."""
    here = Path(env.get("CM_TMP_CURRENT_PATH") or ".").absolute()
    given = str(env.get("CM_GUI_RESULTS_DIRS") or "cm4bench-results").split(",")
    axes = {axis: str(env.get(f"CM_GUI_GRAPH_EXPERIMENT_AXIS_KEY_{key}") or "") for axis, key in AXES.items()}
    limit = env.get("CM_GUI_GRAPH_EXPERIMENT_MAX_RESULTS")
    return {
        "home": home,
        "repos": [
            {"alias": one.alias, "path": one.folder, "uid": one.uid, "prefix": one.prefix, "strict": one.strict}
            for one in repos
        ],
        "results": [str(here / Path(folder.strip()).expanduser()) for folder in given if folder.strip()],
        "port": int(env["CM_GUI_PORT"]),
        "page": env["CM_GUI_APP"],
        "script": str(env.get("CM_GUI_SCRIPT_TAGS") or ""),
        "title": str(env["CM_GUI_TITLE"]),
        "browser": str(env.get("CM_GUI_NO_BROWSER") or "").lower() not in ("yes", "true", "on", "1"),
        "axes": {**axes, **({"limit": int(limit)} if limit else {})},
    }


AXES = {"x": "X", "y": "Y", "color": "C"}
