#!/bin/bash
export PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}/../app-mlperf-training${PYTHONPATH:+:${PYTHONPATH}}"
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/cut.py" \
    --source "${CM_PYPI_ARTIFACT_PATH}/stardist/data/images" --out nuclei || exit $?
{
    echo "CM_DATASET_PATH=${PWD}/nuclei"
    echo "CM_DATASET_NUCLEI_PATH=${PWD}/nuclei"
} >> tmp-run-env.out
