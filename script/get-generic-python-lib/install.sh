#!/bin/bash
# What to install, from where and within which limits is in the two files that customize.py wrote.
# CM_TMP_PIP_FLAGS is split into words on purpose.
# shellcheck disable=SC2086
"${CM_PYTHON_BIN_WITH_PATH}" -m pip install --disable-pip-version-check --progress-bar off ${CM_TMP_PIP_FLAGS} \
    -r "${CM_TMP_PIP_REQUIREMENTS}" -c "${CM_TMP_PIP_CONSTRAINTS}"
