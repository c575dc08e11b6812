"""Write the server's settings from the options, unless there is a file of them."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.append(str(HERE))

NAME = "power-server.conf"


def preprocess(i):
    from mlperf_power.errors import PowerError
    from mlperf_power.settings import read_settings

    env = i["env"]
    here = Path(env.get("CM_TMP_CURRENT_PATH") or ".")
    given = str(env.get("CM_MLPERF_POWER_SERVER_CONF_FILE") or "")
    path = (here / Path(given).expanduser()).absolute() if given else (here / NAME).absolute()
    power_dev = str(env.get("CM_MLPERF_POWER_DEV_PATH") or "")
    try:
        if not given:
            path.write_text(settings_text(env, (here / env["CM_MLPERF_POWER_SESSION_DIR"]).absolute()), "utf-8")
        read_settings(path)
    except PowerError as error:
        return {"return": 1, "error": error.cause, "hint": error.hint}
    except OSError as error:
        return {"return": 1, "error": f"{path} cannot be written: {error.strerror}", "hint": "start in another folder"}
    env["CM_MLPERF_POWER_SERVER_CONF"] = str(path)
    env["CM_MLPERF_POWER_PACKAGE"] = str(HERE)
    env["CM_MLPERF_POWER_DEV_PATH"] = str((here / Path(power_dev).expanduser()).absolute()) if power_dev else ""
    return {"return": 0}


def settings_text(env, sessions):
    """The settings of one analyzer as an INI file that power-dev's server reads, too."""
    analyzer = {
        "networkPort": env["CM_MLPERF_POWER_NETWORK_PORT_START"],
        "deviceType": env["CM_MLPERF_POWER_DEVICE_TYPE"],
        "interfaceFlag": env.get("CM_MLPERF_POWER_INTERFACE_FLAG", ""),
        "devicePort": env["CM_MLPERF_POWER_DEVICE_PORT"],
        "channel": env.get("CM_MLPERF_POWER_CHANNEL", ""),
        "dcFlag": env.get("CM_MLPERF_POWER_DC_FLAG", ""),
    }
    optional = ("channel", "dcFlag")
    sections = {
        "server": {
            "ntpServer": env["CM_MLPERF_POWER_NTP_SERVER"],
            "listen": f"{env['CM_MLPERF_POWER_SERVER_ADDRESS']} {env['CM_MLPERF_POWER_SERVER_PORT']}",
            "outDir": sessions,
        },
        "ptd": {"ptd": env["CM_MLPERF_PTD_PATH"], "analyzerCount": 1},
        "analyzer1": {key: value for key, value in analyzer.items() if value or key not in optional},
    }
    lines = ([f"[{name}]", *(f"{key}: {value}" for key, value in keys.items()), ""] for name, keys in sections.items())
    return "\n".join(line for block in lines for line in block)
