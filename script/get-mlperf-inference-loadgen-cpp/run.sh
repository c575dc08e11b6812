#!/bin/bash
# One object per source file; mlperf.conf is in mlperf_conf.h already, as the source distribution is made.
set -e
source="${CM_PYPI_ARTIFACT_PATH}"
test -f "${source}/loadgen.cc" || source=$(dirname "$(find "${CM_PYPI_ARTIFACT_PATH}" -name loadgen.cc | head -n 1)")
mkdir -p include objects
cp "${source}"/*.h include/
for file in "${source}"/*.cc "${source}/generated/version_generated.cc"; do
    g++ -std=c++17 -O3 -fPIC -w -I "${source}" -c "${file}" -o "objects/$(basename "${file}" .cc).o"
done
ar rcs libmlperf_loadgen.a objects/*.o
rm -r objects
{
    echo "CM_MLPERF_LOADGEN_CPP_INCLUDE_PATH=${PWD}/include"
    echo "CM_MLPERF_LOADGEN_CPP_LIBRARY=${PWD}/libmlperf_loadgen.a"
} >> tmp-run-env.out
