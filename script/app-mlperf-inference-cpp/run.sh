#!/bin/bash
"${CM_TMP_CURRENT_SCRIPT_PATH}/build.sh" "${CM_PYTHON_BIN_WITH_PATH}" "${CM_MLPERF_LOADGEN_CPP_INCLUDE_PATH}" \
    "${CM_MLPERF_LOADGEN_CPP_LIBRARY}" cm4bench_inference || exit $?
echo "CM_MLPERF_CPP_PROGRAM=${PWD}/cm4bench_inference" >> tmp-run-env.out
