// The query sample library: prepared samples in files, those that loadgen names in memory, laid out for the model.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "query_sample_library.h"
#include "settings.h"

namespace cm4bench {

struct Target {  // how the model wants its inputs
  at::Device device = at::kCPU;
  at::ScalarType precision = at::kFloat;  // of columns that hold floats
  bool channels_last = false;
};

class Samples : public mlperf::QuerySampleLibrary {
 public:
  // Opens the columns' files and removes their names: the data live as long as this process.
  Samples(const Settings& settings, const Target& target);
  ~Samples() override;

  const std::string& Name() override { return name_; }
  size_t TotalSampleCount() override { return total_; }
  size_t PerformanceSampleCount() override { return in_memory_; }
  void LoadSamplesToRam(const std::vector<mlperf::QuerySampleIndex>& samples) override;
  void UnloadSamplesFromRam(const std::vector<mlperf::QuerySampleIndex>& samples) override;

  // One tensor per column for these data set indices: a view where their rows follow each other, else a copy.
  std::vector<at::Tensor> Batch(const std::vector<size_t>& indices) const;

 private:
  struct Stored {
    int file = -1;
    size_t bytes = 0;  // of one sample
    at::ScalarType type;
    std::vector<int64_t> shape;
    at::Tensor rows;
  };
  void Stage(Stored& column, const std::vector<size_t>& unique) const;

  std::string name_ = "cm4bench samples";
  size_t total_, in_memory_;
  Target target_;
  std::vector<Stored> columns_;
  std::vector<int64_t> row_of_;
};

}  // namespace cm4bench
