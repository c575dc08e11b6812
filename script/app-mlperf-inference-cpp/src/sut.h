// The system under test: inline where loadgen has one query in flight, a queue with workers otherwise.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "model.h"
#include "progress.h"
#include "query_sample.h"
#include "samples.h"
#include "system_under_test.h"

namespace cm4bench {

using OnError = std::function<void(const std::string&)>;  // must not return
using Queries = std::vector<mlperf::QuerySample>;

class Sut : public mlperf::SystemUnderTest {
 public:
  Sut(Model& model, const Samples& samples, Counters& counters, size_t batch_size, OnError on_error);
  const std::string& Name() override { return name_; }
  void FlushQueries() override {}

 protected:
  void Answer(Queries::const_iterator begin, Queries::const_iterator end);
  void Guarded(const std::function<void()>& work) const;

  Model& model_;
  const Samples& samples_;
  Counters& counters_;
  const size_t batch_size_;
  const OnError on_error_;

 private:
  std::string name_ = "cm4bench C++";
};

class InlineSut : public Sut {
 public:
  using Sut::Sut;
  void IssueQuery(const Queries& queries) override;
};

// A batch is what has queued up while the model worked, up to the batch size; nobody waits for company.
class QueuedSut : public Sut {
 public:
  QueuedSut(Model& model, const Samples& samples, Counters& counters, size_t batch_size, OnError on_error, size_t workers);
  ~QueuedSut() override;
  void IssueQuery(const Queries& queries) override;

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<mlperf::QuerySample> waiting_;
  bool closing_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace cm4bench
