#!/bin/bash
# the sums of the files are written by the training harness's own module
export PYTHONPATH="${CM_TMP_CURRENT_SCRIPT_PATH}/../app-mlperf-training${PYTHONPATH:+:${PYTHONPATH}}"
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/compose.py" \
    --recordings "${CM_DEBIAN_ARTIFACT_PATH}/usr/share/asterisk/sounds/en_US_f_Allison" \
    --train "${CM_DATASET_SPOKEN_TRAIN}" --evaluation "${CM_DATASET_SPOKEN_EVALUATION}" \
    --seed "${CM_DATASET_SEED}" --out words || exit $?
{
    echo "CM_DATASET_PATH=${PWD}/words"
    echo "CM_DATASET_SIZE=${CM_DATASET_SPOKEN_TRAIN}"
} >> tmp-run-env.out
