// A TorchScript module on a device, and what its tensors say about where and how it runs. libtorch's headers for modules
// are a minute of compiling, so they are seen by model.cc alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "samples.h"
#include "settings.h"

namespace cm4bench {

// How outputs become a response: `argmax` of the first one as float32; `concat` of all, sample by sample; `stack`
// along a new last axis. The Python side found out which of them equals the task's own packing.
enum class Packing { kArgmax, kConcat, kStack };

class Model {
 public:
  // Throws std::runtime_error or c10::Error for a module that cannot be loaded. Without a module: answers zeros.
  explicit Model(const Settings& settings);
  ~Model();

  // (count, width) float32 on the host.
  at::Tensor Infer(const std::vector<at::Tensor>& batch, int64_t count);

  const Target& target() const { return target_; }
  std::string device() const { return used_; }
  std::string precision() const { return precision_; }
  std::string how() const;
  int64_t width() const { return width_; }

 private:
  struct Module;
  void ReadFacts();

  std::unique_ptr<Module> module_;  // null for a run without a model
  Target target_;
  Packing packing_;
  int64_t width_;
  std::string used_ = "cpu", precision_ = "none";
};

}  // namespace cm4bench
