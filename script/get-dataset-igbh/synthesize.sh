#!/bin/bash
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/synthesize.py" --out made/processed --seed "${CM_DATASET_SEED}"
