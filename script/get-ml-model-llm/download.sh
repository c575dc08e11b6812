#!/bin/bash
# huggingface_hub resumes by itself and takes HF_TOKEN from the environment.
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/download.py" \
    --model "${CM_ML_MODEL_HF_STUB}" --revision "${CM_ML_MODEL_HF_REVISION:-main}" --out checkpoint
