#!/bin/bash
if [[ -n "${CM_ML_MODEL_PATH}" ]]; then
    exit 0
fi
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/download.py" \
    --revision "${CM_ML_MODEL_WHISPER_REVISION}" --out whisper-large-v3 || exit $?
echo "CM_ML_MODEL_FILE_WITH_PATH=${PWD}/whisper-large-v3" >> tmp-run-env.out
