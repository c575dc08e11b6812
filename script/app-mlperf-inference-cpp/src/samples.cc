#include "samples.h"

#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <stdexcept>

namespace cm4bench {
namespace {

at::ScalarType TypeOf(const std::string& numpy) {
  static const std::map<std::string, at::ScalarType> all = {
      {"float32", at::kFloat}, {"float16", at::kHalf}, {"uint8", at::kByte}, {"int8", at::kChar},
      {"int32", at::kInt},     {"int64", at::kLong},     {"bool", at::kBool}};
  const auto found = all.find(numpy);
  if (found == all.end()) throw std::runtime_error("samples of type " + numpy + " are not supported");
  return found->second;
}

void ReadWhole(int file, char* to, size_t bytes, size_t offset) {
  while (bytes > 0) {
    const ssize_t got = pread(file, to, bytes, static_cast<off_t>(offset));
    if (got <= 0) throw std::runtime_error("the samples' file ends early");
    to += got, bytes -= static_cast<size_t>(got), offset += static_cast<size_t>(got);
  }
}

at::Tensor RowsTensor(std::vector<int64_t>& rows, const at::Device& device) {
  const auto count = static_cast<int64_t>(rows.size());
  return at::from_blob(rows.data(), {count}, at::TensorOptions().dtype(at::kLong)).to(device, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

Samples::Samples(const Settings& settings, const Target& target)
    : total_(settings.Number("total")), in_memory_(settings.Number("in_memory")), target_(target), row_of_(total_, -1) {
  for (const Column& column : settings.columns) {
    Stored stored;
    stored.file = open(column.path.c_str(), O_RDONLY);
    if (stored.file < 0) throw std::runtime_error("cannot read " + column.path);
    unlink(column.path.c_str());
    stored.type = TypeOf(column.dtype);
    stored.shape = column.shape;
    stored.bytes = c10::elementSize(stored.type);
    for (const int64_t axis : column.shape) stored.bytes *= static_cast<size_t>(axis);
    columns_.push_back(stored);
  }
}

Samples::~Samples() {
  for (const Stored& column : columns_) close(column.file);
}

void Samples::LoadSamplesToRam(const std::vector<mlperf::QuerySampleIndex>& samples) {
  std::vector<size_t> unique;  // MultiStream pads its list with repeats
  for (const size_t index : samples) {
    if (row_of_[index] >= 0) continue;
    row_of_[index] = static_cast<int64_t>(unique.size());
    unique.push_back(index);
  }
  for (Stored& column : columns_) Stage(column, unique);
}

void Samples::Stage(Stored& column, const std::vector<size_t>& unique) const {
  std::vector<int64_t> shape = {static_cast<int64_t>(unique.size())}, one = {1};
  shape.insert(shape.end(), column.shape.begin(), column.shape.end());
  one.insert(one.end(), column.shape.begin(), column.shape.end());
  const auto type = c10::isFloatingType(column.type) ? target_.precision : column.type;
  const bool images = target_.channels_last && column.shape.size() == 3;
  column.rows = at::empty(shape, at::TensorOptions().dtype(type).device(target_.device),
                             images ? c10::MemoryFormat::ChannelsLast : c10::MemoryFormat::Contiguous);
  at::Tensor raw = at::empty(one, at::TensorOptions().dtype(column.type));
  for (size_t row = 0; row < unique.size(); ++row) {
    ReadWhole(column.file, static_cast<char*>(raw.data_ptr()), column.bytes, unique[row] * column.bytes);
    column.rows.narrow(0, static_cast<int64_t>(row), 1).copy_(raw);
  }
}

void Samples::UnloadSamplesFromRam(const std::vector<mlperf::QuerySampleIndex>& samples) {
  for (Stored& column : columns_) column.rows = at::Tensor();
  for (const size_t index : samples) row_of_[index] = -1;
}

std::vector<at::Tensor> Samples::Batch(const std::vector<size_t>& indices) const {
  std::vector<int64_t> rows;
  bool run = true;
  for (const size_t index : indices) {
    rows.push_back(row_of_[index]);
    run = run && rows.back() == rows.front() + static_cast<int64_t>(rows.size()) - 1;
  }
  const auto count = static_cast<int64_t>(rows.size());
  std::vector<at::Tensor> batch;
  for (const Stored& column : columns_) {
    if (run) batch.push_back(column.rows.narrow(0, rows.front(), count));
    else batch.push_back(column.rows.index_select(0, RowsTensor(rows, target_.device)));
  }
  return batch;
}

}  // namespace cm4bench
