#include "model.h"

#include <torch/script.h>
#include <torch/version.h>

#include <map>
#include <stdexcept>

namespace cm4bench {
namespace {

const std::map<std::string, torch::ScalarType> kPrecisions = {
    {"fp32", torch::kFloat32}, {"bf16", torch::kBFloat16}, {"fp16", torch::kFloat16}};
const std::map<std::string, Packing> kPackings = {
    {"argmax", Packing::kArgmax}, {"concat", Packing::kConcat}, {"stack", Packing::kStack}};

std::vector<torch::Tensor> OutputsOf(const torch::jit::IValue& value) {
  if (value.isTensor()) return {value.toTensor()};
  std::vector<torch::Tensor> outputs;
  if (value.isTuple())
    for (const auto& one : value.toTupleRef().elements()) outputs.push_back(one.toTensor());
  if (outputs.empty()) throw std::runtime_error("the module returned neither a tensor nor a tuple of tensors");
  return outputs;
}

torch::Tensor Packed(std::vector<torch::Tensor> outputs, Packing packing) {
  if (packing == Packing::kArgmax) return outputs[0].argmax(1, true);
  if (packing == Packing::kStack) return torch::stack(outputs, -1).flatten(1);
  for (torch::Tensor& one : outputs) one = one.flatten(1);
  return torch::cat(outputs, 1);
}

}  // namespace

struct Model::Module {
  torch::jit::Module script;
};

Model::~Model() = default;

Model::Model(const Settings& settings)
    : packing_(kPackings.at(settings.Text("packing"))), width_(settings.Number("width")) {
  target_.channels_last = settings.Flag("channels_last");
  if (settings.Text("module").empty()) return;
  target_.device = torch::Device(settings.Text("device"));
  target_.precision = kPrecisions.at(settings.Text("precision"));
  if (target_.device.is_cuda() && !at::hasCUDA())
    throw std::runtime_error("device cuda was asked for, but libtorch sees none");
  module_ = std::make_unique<Module>(Module{torch::jit::load(settings.Text("module"), target_.device)});
  module_->script.eval();
  module_->script.to(target_.device, target_.precision);
  ReadFacts();
  // Facts first: freezing turns parameters into constants.
  module_->script = torch::jit::optimize_for_inference(module_->script);
}

void Model::ReadFacts() {
  for (const auto& parameter : module_->script.parameters()) {
    used_ = parameter.device().str();
    if (used_ == "cuda") used_ = "cuda:0";
    for (const auto& [name, type] : kPrecisions)
      if (type == parameter.scalar_type()) precision_ = name;
    return;
  }
  throw std::runtime_error("the module has no parameters, so nobody can tell where it runs");
}

torch::Tensor Model::Infer(const std::vector<torch::Tensor>& batch, int64_t count) {
  if (!module_) return torch::zeros({count, width_});
  const c10::InferenceMode guard;
  const std::vector<torch::jit::IValue> inputs(batch.begin(), batch.end());
  torch::Tensor answer = Packed(OutputsOf(module_->script.forward(inputs)), packing_);
  answer = answer.to(torch::kCPU, torch::kFloat32).contiguous();
  if (answer.dim() != 2 || answer.size(0) != count || answer.size(1) != width_)
    throw std::runtime_error("the model answered " + std::to_string(answer.size(0)) + " x " +
                             std::to_string(answer.numel() / std::max<int64_t>(answer.size(0), 1)) + " numbers for " +
                             std::to_string(count) + " x " + std::to_string(width_));
  return answer;
}

std::string Model::how() const {
  return module_ ? std::string("libtorch ") + TORCH_VERSION + ", TorchScript" + (target_.channels_last ? ", channels_last" : "")
                 : "null model, C++";
}

}  // namespace cm4bench
