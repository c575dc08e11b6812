#include "progress.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>

namespace cm4bench {
namespace {

constexpr auto kPeriod = std::chrono::milliseconds(500);

}  // namespace

void Counters::CompletedBatch(size_t samples) {
  completed += samples;
  const std::lock_guard<std::mutex> lock(mutex_);
  ++batches_[samples];
}

std::string Counters::HistogramJson() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::ostringstream text;
  for (const auto& [size, count] : batches_) text << (text.tellp() > 0 ? "," : "") << '"' << size << "\":" << count;
  return "{" + text.str() + "}";
}

Heartbeat::Heartbeat(int descriptor, Counters& counters) : descriptor_(descriptor), counters_(counters) {
  thread_ = std::thread([this] {
    while (!stopped_) {
      Send();
      std::this_thread::sleep_for(kPeriod);
    }
  });
}

Heartbeat::~Heartbeat() {
  stopped_ = true;
  thread_.join();
}

void Heartbeat::Enter(const std::string& phase) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    phase_ = phase;
  }
  Send();
}

void Heartbeat::Send() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::ostringstream line;
  line << "{\"phase\":\"" << phase_ << "\",\"issued\":" << counters_.issued << ",\"completed\":" << counters_.completed << "}\n";
  const std::string text = line.str();
  if (write(descriptor_, text.data(), text.size()) < 0) _exit(1);
}

void Report::Write(const Settings& settings, Counters& counters, const std::string& failure) const {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  std::ostringstream text;
  text << "{\"failure\":" << (failure.empty() ? "null" : "{\"kind\":\"raised\",\"cause\":" + Quoted(failure) + "}")
       << ",\"execution\":" << execution << ",\"timings\":{\"load_s\":" << load_s << ",\"warmup_s\":" << warmup_s
       << ",\"loadgen_s\":" << loadgen_s << ",\"total_s\":" << load_s + warmup_s + loadgen_s << "},\"cpu_s\":" << cpu_s
       << ",\"samples\":" << counters.completed << ",\"peak_rss_bytes\":" << usage.ru_maxrss * 1024L
       << ",\"batch_histogram\":" << counters.HistogramJson() << "," << settings.Text("report") << "}";
  const std::string path = settings.Text("output_dir") + "/child_report.json", staging = path + ".tmp";
  std::ofstream(staging) << text.str();
  std::rename(staging.c_str(), path.c_str());
}

std::string Quoted(const std::string& text) {
  std::ostringstream quoted;
  quoted << '"';
  for (const char one : text) {
    if (one == '"' || one == '\\') quoted << '\\' << one;
    else if (static_cast<unsigned char>(one) < 0x20) quoted << ' ';
    else quoted << one;
  }
  quoted << '"';
  return quoted.str();
}

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace cm4bench
