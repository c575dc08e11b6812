#!/bin/bash
export PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}/../app-mlperf-training${PYTHONPATH:+:${PYTHONPATH}}"
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/convert.py" \
    --source "${CM_PYPI_ARTIFACT_PATH}/bigbench-1.0.0/bigbench/benchmark_tasks/cifar10_classification/base64/task.json" \
    --out cifar-10-batches-py || exit $?
