"""Write user.conf.

The settings come from `user_conf_settings`, the round's rules from `round_rules`; whether loadgen will take them, from
the harness.
"""

import sys
from pathlib import Path

for folder in (Path(__file__).parent, Path(__file__).parents[1] / "app-mlperf-inference"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def preprocess(i):
    from harness.errors import HarnessError

    env = i["env"]
    folder = Path(env.get("CM_MLPERF_OUTPUT_DIR") or env.get("CM_TMP_CURRENT_PATH") or ".").resolve()
    try:
        text = user_conf(env)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "user.conf").write_text(text, encoding="utf-8")
    except (ValueError, HarnessError) as error:
        return {"return": 1, "error": f"no usable user.conf: {error}", "hint": getattr(error, "hint", "")}
    except OSError as error:
        return {"return": 1, "error": f"user.conf cannot be written: {error}", "hint": "give another --output_dir"}
    env["CM_MLPERF_USER_CONF"] = str(folder / "user.conf")
    return {"return": 0}


def user_conf(env):
    """The text of user.conf for the run that `env` describes; ValueError or HarnessError where it cannot be."""
    from round_rules import name_in_conf, rules_for
    from user_conf_settings import settings_for

    from harness import userconf

    model, scenario = name_in_conf(env)
    return userconf.render(model, {scenario: settings_for(env, rules_for(env))})
