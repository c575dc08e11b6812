#!/bin/bash
# build.sh PYTHON LOADGEN_HEADERS LOADGEN_LIBRARY PROGRAM
set -e
source="$(dirname "$0")/src"
# The wheel says where its headers are and which ABI of the C++ library it was built with.
read -r torch abi cuda < <("$1" -c 'import torch; from pathlib import Path
print(Path(torch.__file__).parent, int(torch._C._GLIBCXX_USE_CXX11_ABI), int(torch.version.cuda is not None))')
libraries=(-ltorch -ltorch_cpu -lc10)
# Nothing in our code names CUDA, so the linker would drop the libraries that bring it (untested on hardware).
test "${cuda}" = 1 && libraries+=(-Wl,--no-as-needed -ltorch_cuda -lc10_cuda)
pids=()
objects=()
folder=$(mktemp -d)
trap 'rm -rf "${folder}"' EXIT
for file in "${source}"/*.cc; do
    object="${folder}/$(basename "${file}" .cc).o"
    objects+=("${object}")
    g++ -std=c++20 -O2 -w -D_GLIBCXX_USE_CXX11_ABI="${abi}" -I "${source}" -isystem "$2" -isystem "${torch}/include" \
        -isystem "${torch}/include/torch/csrc/api/include" -c "${file}" -o "${object}" &
    pids+=($!)
    if ((${#pids[@]} >= 2)); then wait "${pids[0]}"; pids=("${pids[@]:1}"); fi
done
for pid in "${pids[@]}"; do wait "${pid}"; done
g++ -o "$4" "${objects[@]}" "$3" -L "${torch}/lib" -Wl,-rpath,"${torch}/lib" "${libraries[@]}" -lpthread
