#!/bin/bash
export PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}/../app-mlperf-training${PYTHONPATH:+:${PYTHONPATH}}"
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/sort_snippets.py" \
    --archive "${CM_PYPI_ARTIFACT_PATH}/vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz" \
    --layout "${CM_DATASET_LAYOUT}" --out snippets || exit $?
echo "CM_DATASET_MOVIE_SNIPPETS_PATH=${PWD}/snippets" >> tmp-run-env.out
echo "CM_DATASET_SIZE=$(cat snippets/train.count)" >> tmp-run-env.out
