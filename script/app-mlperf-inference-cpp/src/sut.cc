#include "sut.h"

#include <algorithm>
#include <exception>

#include "loadgen.h"

namespace cm4bench {

Sut::Sut(Model& model, const Samples& samples, Counters& counters, size_t batch_size, OnError on_error)
    : model_(model), samples_(samples), counters_(counters), batch_size_(batch_size), on_error_(std::move(on_error)) {}

void Sut::Answer(Queries::const_iterator begin, Queries::const_iterator end) {
  const auto count = static_cast<size_t>(end - begin);
  std::vector<size_t> indices;
  indices.reserve(count);
  for (auto one = begin; one != end; ++one) indices.push_back(one->index);
  const at::Tensor answer = model_.Infer(samples_.Batch(indices), static_cast<int64_t>(count));
  const auto bytes = static_cast<size_t>(answer.size(1)) * sizeof(float);
  auto place = reinterpret_cast<uintptr_t>(answer.data_ptr());
  std::vector<mlperf::QuerySampleResponse> responses;
  responses.reserve(count);
  for (auto one = begin; one != end; ++one, place += bytes) responses.push_back({one->id, place, bytes});
  mlperf::QuerySamplesComplete(responses.data(), responses.size());  // copies; `answer` lives until it returns
  counters_.CompletedBatch(count);
}

void Sut::Guarded(const std::function<void()>& work) const {
  try {
    work();
  } catch (const std::exception& error) {
    on_error_(error.what());
  }
}

void InlineSut::IssueQuery(const Queries& queries) {
  counters_.issued += queries.size();
  Guarded([&] {
    for (size_t at = 0; at < queries.size(); at += batch_size_)
      Answer(queries.begin() + static_cast<std::ptrdiff_t>(at),
             queries.begin() + static_cast<std::ptrdiff_t>(std::min(at + batch_size_, queries.size())));
  });
}

QueuedSut::QueuedSut(Model& model, const Samples& samples, Counters& counters, size_t batch_size, OnError on_error, size_t workers)
    : Sut(model, samples, counters, batch_size, std::move(on_error)) {
  for (size_t k = 0; k < workers; ++k) workers_.emplace_back([this] { Guarded([this] { Work(); }); });
}

QueuedSut::~QueuedSut() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  arrived_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void QueuedSut::IssueQuery(const Queries& queries) {
  counters_.issued += queries.size();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.insert(waiting_.end(), queries.begin(), queries.end());
  }
  if (queries.size() == 1) arrived_.notify_one();
  else arrived_.notify_all();
}

void QueuedSut::Work() {
  Queries batch;
  while (true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      arrived_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(batch_size_, waiting_.size()));
      batch.assign(waiting_.begin(), end);
      waiting_.erase(waiting_.begin(), end);
    }
    Answer(batch.begin(), batch.end());
  }
}

}  // namespace cm4bench
