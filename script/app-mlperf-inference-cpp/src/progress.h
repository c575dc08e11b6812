// Counters, the pipe to the watcher, and the report at the end (harness/report.py reads both).
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "settings.h"

namespace cm4bench {

struct Counters {
  std::atomic<uint64_t> issued{0}, completed{0};

  void CompletedBatch(size_t samples);
  std::string HistogramJson();

 private:
  std::mutex mutex_;
  std::map<size_t, uint64_t> batches_;
};

// Writes a line per period and per phase; ends the process when nobody reads any more.
class Heartbeat {
 public:
  Heartbeat(int descriptor, Counters& counters);
  ~Heartbeat();
  void Enter(const std::string& phase);

 private:
  void Send();

  int descriptor_;
  Counters& counters_;
  std::mutex mutex_;
  std::string phase_ = "load";
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

struct Report {
  std::string execution = "null";
  double load_s = 0, warmup_s = 0, loadgen_s = 0, cpu_s = 0;

  // `failure` is a sentence for people; empty for a run that came to its end.
  void Write(const Settings& settings, Counters& counters, const std::string& failure) const;
};

std::string Quoted(const std::string& text);  // as JSON
double Seconds();  // a clock that only goes forward
double CpuSeconds();  // of this process

}  // namespace cm4bench
