#!/bin/bash
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/synthesize.py" \
    --folder synthetic --count "${CM_DATASET_SYNTHETIC_SIZE}" --seed "${CM_DATASET_SEED}"
